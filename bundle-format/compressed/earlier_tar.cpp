#include "bundle-format/compressed/earlier_tar.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>
#include <string_view>
#include <utility>

#include "bundle-format/archive/archive_state.hpp"
#include "bundle-format/compressed/compressed_tar.hpp"
#include "bundle-format/compressed/frame_cuts.hpp"
#include "bundle-format/compressed/partial_tar.hpp"
#include "bundle-format/metadata/layout.hpp"
#include "common/diag/error.hpp"
#include "common/diag/log.hpp"
#include "common/zstd/frame_scan.hpp"
#include "common/zstd/seek_table.hpp"

namespace airgap::bundle::compressed {
namespace {

std::optional<EarlierHead> head_of(const TarBytes& tar) {
  const auto front = tar.open(0, tar.size());
  return read_earlier_head(*front);
}

/// Whether the frame at the front holds what an archive begins with; one that is damaged may.
bool may_begin_archive(const std::shared_ptr<const io::File>& file, const zstd::Frame& frame) {
  const std::string expected = std::string(k_oci_layout_file) + '\0';
  try {
    const auto tar = compressed_tar(file, {frame});
    return tar->size() >= expected.size() &&
           io::read_all(*tar->open(0, expected.size()), expected.size(), "head") == expected;
  } catch (const diag::IntegrityError&) {
    return true;
  }
}

}  // namespace

bool EarlierTar::has(const Blob& blob) const {
  if (!plan) return false;
  const auto found = plan->index.find(blob.digest);
  return found != plan->index.end() && found->second < blobs && plan->blobs[found->second].size == blob.size;
}

std::uint64_t EarlierTar::partial_bytes(const Blob& blob) const {
  return next && plan->blobs[blobs].digest == blob.digest ? next->bytes : 0;
}

std::optional<std::string> EarlierTar::manifest(const hash::Digest& digest) const {
  return plan ? archived_manifest(*tar, *plan, digest) : std::nullopt;
}

std::unique_ptr<io::Source> EarlierTar::open(const Blob& blob, std::uint64_t offset) const {
  if (!has(blob)) return nullptr;
  const tar::Place& place = plan->place_of(plan->index.at(blob.digest));
  return tar->open(place.data + offset, place.size - offset);
}

std::uint64_t EarlierTar::bytes_of(const Blob& blob) const {
  return has(blob) ? blob.size : partial_bytes(blob);
}

std::unique_ptr<io::Source> EarlierTar::open_front(const Blob& blob, std::uint64_t offset) const {
  const tar::Place& place = plan->place_of(plan->index.at(blob.digest));
  return tar->open(place.data + offset, bytes_of(blob) - offset);
}

std::uint64_t EarlierTar::stored_bytes_of(const std::vector<Blob>& some) const {
  const zstd::FrameTable table(there.frames);
  std::uint64_t stored = 0;
  for (const Blob& blob : some) {
    const std::uint64_t bytes = bytes_of(blob);
    if (bytes == 0) continue;
    const std::uint64_t begin = plan->place_of(plan->index.at(blob.digest)).data;
    const zstd::FrameTable::Place last = table[table.index_at(begin + bytes - 1)];
    stored += last.stored_at + last.frame.stored - table[table.index_at(begin)].stored_at;
  }
  return stored;
}

bool is_unfinished_tar(const std::shared_ptr<const io::File>& file) {
  std::array<std::byte, tar::k_block> block{};
  const auto front = std::span(block).first(file->read_at(0, block));
  if (io::text_of(front).find_first_not_of('\0') == std::string_view::npos) return true;
  if (front.size() < zstd::k_max_frame_header)  // of all headers the first bytes are the same
    return zstd::frame_header(1).starts_with(
        io::text_of(front.first(std::min<std::size_t>(front.size(), 4))));
  if (!zstd::content_of_header(front)) return false;
  const std::vector<zstd::Frame> frames = zstd::scan_frames(*file);
  return frames.empty() || may_begin_archive(file, frames.front());
}

EarlierTar unfinished_tar(const std::shared_ptr<const io::File>& partial, const std::stop_token& stop) {
  std::vector<zstd::Frame> frames = zstd::scan_frames(*partial);
  if (frames.empty()) return {};
  auto head = head_of(*compressed_tar(partial, frames));
  if (!head) return {};
  frames.resize(matching_frames(head->plan, zstd::FrameTable(frames)));
  auto left = PartialTar(partial, head->plan, std::move(frames), stop).read();
  if (!left) return {};
  diag::log("bundle", diag::LogLevel::info,
            fmt::format("{}: {} of {} blobs are whole, {} bytes of the next are there", partial->path(),
                        left->blobs, head->plan.blobs.size(), left->next ? left->next->bytes : 0));
  auto tar = compressed_tar(partial, left->there.frames);
  return EarlierTar{.tar = std::move(tar),
                    .info = std::move(head->info),
                    .plan = std::move(head->plan),
                    .blobs = left->blobs,
                    .next = std::move(left->next),
                    .there = std::move(left->there)};
}

EarlierTar finished_tar(const io::Directory& directory, const std::string& name) {
  auto file = std::make_shared<const io::File>(directory.open_file(name));
  if (!zstd::looks_framed(*file)) return {};
  auto tar = compressed_tar(std::move(file));
  if (tar->finding()) return {};
  auto head = head_of(*tar);
  if (!head || tar->size() != head->plan.layout.end || !tar->follows(head->plan)) return {};
  const std::size_t blobs = head->plan.blobs.size();
  return EarlierTar{
      .tar = std::move(tar), .info = std::move(head->info), .plan = std::move(head->plan), .blobs = blobs};
}

}  // namespace airgap::bundle::compressed
