#include "bundle-format/archive/archive_state.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "bundle-format/archive/archive_head.hpp"
#include "bundle-format/earlier_bundle.hpp"
#include "common/diag/error.hpp"
#include "common/image/manifest.hpp"

namespace airgap::bundle {
namespace {

std::optional<std::string> read_text(const io::File& file, std::uint64_t offset, std::uint64_t size) {
  std::string text(static_cast<std::size_t>(size), '\0');
  const auto bytes = std::as_writable_bytes(std::span(text.data(), text.size()));
  if (file.read_at(offset, bytes) != size) return std::nullopt;
  return text;
}

// A head that is no good is none: the archive starts from nothing then.
template <class Read>
auto unless_bad(Read&& read) -> std::optional<decltype(read())> {
  try {
    return read();
  } catch (const diag::IntegrityError&) {
  } catch (const diag::UnsafeError&) {
  } catch (const diag::UsageError&) {
  }
  return std::nullopt;
}

std::string marker_text(const hash::Digest& digest) {
  return fmt::format("{}1 {} ", k_partial_marker, digest.str());
}

}  // namespace

BlobState member_state(const io::File& archive, std::uint64_t length, const tar::Place& place,
                       const std::string& header, const hash::Digest& digest) {
  if (place.data > length) return {};
  const auto slot = read_text(archive, place.header, place.header_size);
  if (!slot) return {};
  const std::uint64_t there = std::min(length - place.data, place.size);
  if (there == place.size && *slot == header) return {.whole = true, .bytes = place.size};
  const std::string_view marker = std::string_view(*slot).substr(0, tar::k_block);
  return {.whole = false, .bytes = std::min(there, parse_progress_marker(marker, digest))};
}

std::optional<EarlierHead> read_earlier_head(io::Source& front) {
  auto head = unless_bad([&] {
    ExactReader reader(front);
    return read_archive_head(reader);
  });
  if (!head || head->volume) return std::nullopt;
  MetadataCheck check = check_metadata(head->by_name());
  if (!check.trusted || !check.findings.empty()) return std::nullopt;
  if (created_seconds(check.info->created) != head->mtime) return std::nullopt;
  ArchivePlan plan(std::move(head->files), *check.info);
  return EarlierHead{std::move(*check.info), std::move(plan)};
}

std::optional<ArchiveState> read_archive_state(const std::shared_ptr<const io::File>& archive) {
  io::FileRangeSource front(archive, 0, archive->size());
  auto head = read_earlier_head(front);
  if (!head) return std::nullopt;
  std::vector<BlobState> blobs(head->plan.blobs.size());
  const std::uint64_t length = archive->size();
  for (std::size_t i = 0; i < blobs.size(); ++i)
    blobs[i] = member_state(*archive, length, head->plan.place_of(i), head->plan.header_of(i),
                            head->plan.blobs[i].digest);
  return ArchiveState{std::move(head->info), std::move(head->plan), std::move(blobs)};
}

std::optional<std::string> archived_manifest(const TarBytes& archive, const ArchivePlan& plan,
                                             const hash::Digest& digest) {
  const auto found = plan.index.find(digest);
  if (found == plan.index.end() || plan.blobs[found->second].size > image::k_max_manifest)
    return std::nullopt;
  const tar::Place& place = plan.place_of(found->second);
  auto bytes = unless_bad([&] { return read_text(archive, place.data, place.size); });
  if (!bytes) return std::nullopt;
  return verified_manifest(std::move(*bytes), digest);
}

std::string progress_marker(const hash::Digest& digest, std::uint64_t bytes) {
  std::string block = fmt::format("{}{}\n", marker_text(digest), bytes);
  block.resize(tar::k_block, '\0');
  return block;
}

std::uint64_t parse_progress_marker(std::string_view block, const hash::Digest& digest) {
  const std::string start = marker_text(digest);
  if (!block.starts_with(start)) return 0;
  std::uint64_t bytes = 0;
  std::from_chars(block.data() + start.size(), block.data() + block.size(), bytes);
  return progress_marker(digest, bytes) == block ? bytes : 0;
}

}  // namespace airgap::bundle
