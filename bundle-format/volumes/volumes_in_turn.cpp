#include "bundle-format/volumes/volumes_in_turn.hpp"

#include <fmt/format.h>

#include <map>
#include <optional>
#include <vector>

#include "bundle-format/blob_lookup.hpp"
#include "bundle-format/metadata/layout.hpp"
#include "bundle-format/open_following.hpp"
#include "bundle-format/volumes/pieces_source.hpp"
#include "bundle-format/volumes/tiling.hpp"
#include "bundle-format/volumes/volume_check.hpp"
#include "common/diag/error.hpp"
#include "common/hash/hasher.hpp"
#include "common/hash/verifying_source.hpp"

namespace airgap::bundle {
namespace {

/// The volume at hand.
class VolumeAtHand {
 public:
  VolumeAtHand(std::size_t number, const std::string& path) : m_volume(check_volume(path, Depth::files)) {
    if (!m_volume.findings.empty()) throw_first(m_volume.findings, path);
    if (!m_volume.head || !m_volume.layout)
      throw diag::InternalError(path + " has neither contents nor findings");
    if (m_volume.layout->info().number != number)
      throw diag::IntegrityError(
          fmt::format("{} is {}, and number {} was looked for", path, m_volume.layout->info().str(), number));
    for (const MetadataFile& file : m_volume.head->files) m_head.push_back(hash::sha256_of(file.bytes));
    const auto& parts = info().parts;
    for (std::size_t i = 0; i < parts.size(); ++i) m_parts.try_emplace({parts[i].digest, parts[i].offset}, i);
  }

  const CheckedVolume& volume() const { return m_volume; }
  const VolumeInfo& info() const { return m_volume.layout->info(); }
  const std::vector<hash::Digest>& head() const { return m_head; }
  ArchiveHead take_head() { return std::move(*m_volume.head); }

  /// The part that has these bytes of the blob at its front; nothing when none has.
  std::optional<std::size_t> part_at(const hash::Digest& digest, std::uint64_t offset) const {
    const auto found = m_parts.find({digest, offset});
    if (found == m_parts.end()) return std::nullopt;
    return found->second;
  }

  std::unique_ptr<io::Source> open(std::size_t part) const {
    const tar::Place& place = m_volume.layout->place_of(part);
    // Of a whole blob the reader checks the digest.
    const auto sum = info().parts[part].number == 0 ? std::nullopt : m_volume.sum_of(info().parts[part]);
    return std::make_unique<PiecesSource>(
        [path = m_volume.path](std::size_t) { return open_following(path); },
        std::vector<Stretch>{{info().number, place.data, place.size, sum}});
  }

 private:
  CheckedVolume m_volume;
  std::vector<hash::Digest> m_head;                                       ///< of its files, in their order
  std::map<std::pair<hash::Digest, std::uint64_t>, std::size_t> m_parts;  ///< by digest and offset
};

class VolumesInTurn final : public BundleStream {
 public:
  VolumesInTurn(std::size_t count, FindVolume find) : m_count(count), m_find(std::move(find)) {
    enter(1);
    for (const Blob& blob : m_info.blobs) {
      if (blob.kind != BlobKind::manifest) break;
      PassingParts bytes(*this, blob);
      m_manifests.emplace(blob.digest, read_verified(bytes, blob));
    }
  }

  const BundleInfo& info() const override { return m_info; }

  std::string read_manifest(const image::Descriptor& wanted) override {
    const auto found = m_manifests.find(m_blobs->find(wanted).digest);
    if (found == m_manifests.end())
      throw diag::UnsafeError(wanted.digest.str() +
                              " is used as a manifest, and bundle.json does not call it one");
    return found->second;
  }

  std::unique_ptr<io::Source> open_blob(const image::Descriptor& blob, std::uint64_t) override {
    throw diag::InternalError(blob.digest.str() + " was asked for out of order: its volume may be gone");
  }

  void for_each_blob(const std::function<void(const Blob&, io::Source&)>& take) override {
    for (const Blob& blob : m_info.blobs) {
      if (blob.kind == BlobKind::manifest) continue;
      PassingParts bytes(*this, blob);
      hash::VerifyingSource verified(bytes, blob.digest, blob.size);
      take(blob, verified);
    }
  }

 private:
  /// A blob from volume to volume, none of which is looked for before the first read().
  class PassingParts final : public io::Source {
   public:
    PassingParts(VolumesInTurn& volumes, const Blob& blob) : m_volumes(volumes), m_blob(blob) {}

    std::size_t read(std::span<std::byte> out) override {
      while (m_done < m_blob.stored_size || !m_part) {
        if (!m_part) m_part = m_volumes.open_part(m_blob, m_done);
        if (const std::size_t count = m_part->read(out)) {
          m_done += count;
          return count;
        }
        if (m_done == m_blob.stored_size) break;
        m_part = nullptr;  // closed: the disc may be taken out
      }
      // The end of the last part has its check sum compared.
      return m_part->read(out);
    }

   private:
    VolumesInTurn& m_volumes;
    const Blob& m_blob;
    std::uint64_t m_done = 0;
    std::unique_ptr<io::Source> m_part;
  };

  std::unique_ptr<io::Source> open_part(const Blob& blob, std::uint64_t offset) {
    for (;;) {
      if (const auto part = m_here->part_at(blob.digest, offset)) return m_here->open(*part);
      if (m_here->info().number == m_count)
        throw diag::UnsafeError(fmt::format("no volume has {} from byte {} on", blob.digest.str(), offset));
      enter(m_here->info().number + 1);
    }
  }

  void enter(std::size_t number) {
    const std::string path = m_find(number);
    diag::with_context([&] { return fmt::format("reading volume {} of {}", number, m_count); },
                       [&] {
                         VolumeAtHand next(number, path);
                         if (!m_here) {
                           learn_head(next);
                         } else if (next.head() != m_here->head() ||
                                    next.volume().layout->mtime() != created_seconds(m_info.created)) {
                           throw diag::IntegrityError(
                               path + ": its head is not that of the other volumes",
                               "it is damaged, or of another run: copy this volume again");
                         }
                         m_tiling->add(next.info());
                         m_here.emplace(std::move(next));
                       });
  }

  void learn_head(VolumeAtHand& first) {
    MetadataCheck check = check_metadata(first.take_head().by_name());
    if (!check.findings.empty()) throw_first(check.findings, first.volume().path);
    m_info = std::move(*check.info);
    if (first.volume().layout->mtime() != created_seconds(m_info.created))
      throw diag::IntegrityError("the time in the headers is not the time in bundle.json");
    const VolumeInfo& volume = first.info();
    if (volume.stream != m_info.stream || volume.sequence != m_info.sequence || volume.count != m_count)
      throw diag::IntegrityError("volume.json names another bundle than bundle.json does");
    m_blobs.emplace(m_info);
    m_tiling.emplace(m_info);
  }

  std::size_t m_count;
  FindVolume m_find;
  BundleInfo m_info;
  std::optional<BlobLookup> m_blobs;
  std::optional<Tiling> m_tiling;
  std::optional<VolumeAtHand> m_here;
  std::map<hash::Digest, std::string> m_manifests;
};

}  // namespace

std::unique_ptr<BundleStream> open_volumes_in_turn(std::size_t count, FindVolume find) {
  return std::make_unique<VolumesInTurn>(count, std::move(find));
}

}  // namespace airgap::bundle
