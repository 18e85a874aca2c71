#include "bundle-format/compressed/earlier_tar.hpp"

#include <fmt/format.h>

#include <utility>

#include "bundle-format/archive/archive_state.hpp"
#include "bundle-format/compressed/compressed_tar.hpp"
#include "bundle-format/compressed/frame_cuts.hpp"
#include "common/diag/error.hpp"
#include "common/diag/log.hpp"
#include "common/hash/verifying_source.hpp"
#include "common/zstd/frame_scan.hpp"
#include "common/zstd/seek_table.hpp"

namespace airgap::bundle::compressed {
namespace {

std::optional<EarlierHead> head_of(const TarBytes& tar) {
  const auto front = tar.open(0, tar.size());
  return read_earlier_head(*front);
}

/// Reads a blob and what stands before it. False when anything differs.
bool is_whole(const TarBytes& tar, const ArchivePlan& plan, std::size_t blob, const std::stop_token& stop) {
  const tar::Place& place = plan.place_of(blob);
  if (place.data + place.size > tar.size()) return false;
  const std::uint64_t before = blob == 0 ? plan.layout.places[plan.metadata.size() - 1].end()
                                         : plan.place_of(blob - 1).data + plan.place_of(blob - 1).size;
  const std::string expected =
      std::string(static_cast<std::size_t>(place.header - before), '\0') + plan.header_of(blob);
  try {
    if (read_text(tar, before, expected.size()) != expected) return false;
    const auto bytes = tar.open(place.data, place.size);
    hash::VerifyingSource verified(*bytes, plan.blobs[blob].digest, plan.blobs[blob].size);
    std::vector<std::byte> buffer(io::k_pump_buffer);
    while (verified.read(buffer) != 0) {
      if (stop.stop_requested()) throw diag::Interrupted();
    }
    return true;
  } catch (const diag::IntegrityError&) {
    return false;
  }
}

std::optional<EarlierTar> unfinished(const std::shared_ptr<const io::File>& partial,
                                     const std::stop_token& stop) {
  std::vector<zstd::Frame> frames = zstd::scan_frames(*partial);
  if (frames.empty()) return std::nullopt;
  auto tar = compressed_tar(partial, frames);
  auto head = head_of(*tar);
  if (!head) return std::nullopt;
  frames.resize(matching_frames(head->plan, zstd::FrameTable(frames)));
  tar = compressed_tar(partial, frames);
  std::size_t blobs = 0;
  while (blobs < head->plan.blobs.size() && is_whole(*tar, head->plan, blobs, stop)) ++blobs;
  diag::log("bundle", diag::LogLevel::info,
            fmt::format("{}: {} of {} blobs are whole", partial->path(), blobs, head->plan.blobs.size()));
  const std::size_t kept = frames_through(head->plan, blobs);
  if (kept > frames.size()) return std::nullopt;  // the head itself is cut otherwise
  frames.resize(kept);
  return EarlierTar{.tar = std::move(tar),
                    .info = std::move(head->info),
                    .plan = std::move(head->plan),
                    .finished = false,
                    .blobs = blobs,
                    .frames = std::move(frames)};
}

std::optional<EarlierTar> finished(const io::Directory& directory, const std::string& name) {
  auto file = std::make_shared<const io::File>(directory.open_file(name));
  if (!zstd::looks_framed(*file)) return std::nullopt;
  auto tar = compressed_tar(std::move(file));
  if (tar->finding()) return std::nullopt;
  auto head = head_of(*tar);
  if (!head || tar->size() != head->plan.layout.end || !tar->follows(head->plan)) return std::nullopt;
  const std::size_t blobs = head->plan.blobs.size();
  return EarlierTar{.tar = std::move(tar),
                    .info = std::move(head->info),
                    .plan = std::move(head->plan),
                    .finished = true,
                    .blobs = blobs};
}

class CompressedPlace final : public BundlePlace {
 public:
  CompressedPlace(const std::string& path, bool overwrite, const std::stop_token& stop) : m_where(path) {
    std::shared_ptr<const io::File> partial;
    if (auto file = m_where.directory.find_file(m_where.partial()))
      partial = std::make_shared<const io::File>(std::move(*file));
    m_earlier = earlier_tar(m_where, partial, overwrite, stop);
  }

  const std::optional<BundleInfo>& existing() const override { return m_earlier.info; }
  bool finished() const override { return m_earlier.finished; }
  std::optional<std::string> existing_manifest(const hash::Digest& digest) const override {
    return m_earlier.manifest(digest);
  }
  bool has_blob(const Blob& blob) const override { return m_earlier.has(blob); }
  std::uint64_t partial_bytes(const Blob&) const override { return 0; }

 private:
  ArchiveName m_where;
  EarlierTar m_earlier;
};

}  // namespace

bool EarlierTar::has(const Blob& blob) const {
  if (!plan) return false;
  const auto found = plan->index.find(blob.digest);
  return found != plan->index.end() && found->second < blobs && plan->blobs[found->second].size == blob.size;
}

std::optional<std::string> EarlierTar::manifest(const hash::Digest& digest) const {
  return plan ? archived_manifest(*tar, *plan, digest) : std::nullopt;
}

std::unique_ptr<io::Source> EarlierTar::open(const Blob& blob) const {
  if (!has(blob)) return nullptr;
  const tar::Place& place = plan->place_of(plan->index.at(blob.digest));
  return tar->open(place.data, place.size);
}

EarlierTar earlier_tar(const ArchiveName& where, const std::shared_ptr<const io::File>& partial,
                       bool overwrite, const std::stop_token& stop) {
  std::optional<EarlierTar> left;
  if (partial) left = unfinished(partial, stop);
  if (!where.directory.stat(where.name) || (left && overwrite)) return left ? std::move(*left) : EarlierTar{};
  if (auto whole = finished(where.directory, where.name)) return std::move(*whole);
  if (overwrite) return {};
  throw diag::UsageError(
      fmt::format("{} is there already, and is not a whole bundle", where.directory.path_of(where.name)),
      "see what 'verify' says about it; choose another name, or --overwrite");
}

std::unique_ptr<BundlePlace> look_at_compressed(const std::string& path, bool overwrite,
                                                std::stop_token stop) {
  return std::make_unique<CompressedPlace>(path, overwrite, stop);
}

}  // namespace airgap::bundle::compressed
