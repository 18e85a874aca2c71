#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bundle-format/blob_lookup.hpp"
#include "bundle-format/left_out.hpp"
#include "bundle-format/volumes/pieces_source.hpp"
#include "bundle-format/volumes/volume_check.hpp"
#include "bundle-format/volumes/volume_set.hpp"
#include "bundle-format/volumes/whereabouts.hpp"
#include "common/transport/image_source.hpp"

namespace airgap::bundle {

/// The volumes of one set that are here just now: somebody changes discs. What was learnt of those that are
/// gone stays known. Several threads may read; look() is for one, while nobody reads.
class VolumesAtHand : public transport::ImageSource {
 public:
  /// Returns when a byte of a blob is at hand, after look() took notice of it. Throws to give up.
  using Bring = std::function<void(const Blob& blob, std::uint64_t offset)>;

  /// The first of the `found` volumes whose head is right speaks for all of the set. Throws what is wrong
  /// when there is none.
  explicit VolumesAtHand(const VolumeSet& found);
  VolumesAtHand(const VolumesAtHand&) = delete;
  VolumesAtHand& operator=(const VolumesAtHand&) = delete;

  const BundleInfo& info() const noexcept { return m_info; }
  std::size_t count() const noexcept { return m_of.count; }
  const Whereabouts& whereabouts() const { return *m_whereabouts; }

  /// What is in these places now, instead of what was. A volume that is cut or damaged in any way is not at
  /// hand. Throws UnsafeError for volumes that do not go together.
  void look(const std::vector<std::string>& places);
  std::vector<std::size_t> numbers() const;  ///< of those at hand, ascending
  /// What else was there, safe to print: "v.003.tar: … it is cut: got 20000 of 131072 bytes".
  const std::vector<std::string>& unusable() const noexcept { return m_unusable; }

  bool has(const Blob& blob) const;  ///< all of it
  bool has_byte(const Blob& blob, std::uint64_t offset) const;
  /// From a byte that is at hand to the end of the part that it is in. A part that is read from its start has
  /// been compared with SHA256SUMS.volume at its end.
  std::unique_ptr<io::Source> open_part(const Blob& blob, std::uint64_t offset) const;
  /// A blob of which all is at hand.
  std::unique_ptr<io::Source> open_blob(const image::Descriptor& wanted, std::uint64_t offset) override;

  /// Reads all manifests, with which the first volumes begin. Where some are damaged it throws that with the
  /// images that they touch, or takes these out of info().
  LeftOut read_manifests(const Bring& bring, Damaged damaged);
  std::string read_manifest(const image::Descriptor& wanted) override;  ///< one of those

 private:
  struct Held {
    FoundVolume found;
    CheckedVolume volume;
  };
  struct HeldPart {
    const CheckedVolume* volume = nullptr;
    std::size_t index = 0;  ///< in its list

    const Part& part() const { return volume->layout->info().parts[index]; }
    Stretch stretch() const;
  };
  using Volumes = std::map<std::size_t, Held>;  ///< by number

  bool learn_head(const FoundVolume& volume, std::vector<Finding>& findings);
  void look_at(const FoundVolume& found, Volumes& at_hand);
  std::string fault_of(const CheckedVolume& volume) const;
  void index_parts();
  Finding finding_about(const Blob& blob, const diag::Error& error) const;
  LeftOut judge(std::vector<Finding> findings, Damaged damaged);
  std::optional<HeldPart> part_with(const Blob& blob, std::uint64_t offset) const;

  FoundVolume m_of;  ///< any of the set
  BundleInfo m_info;
  std::vector<hash::Digest> m_head;  ///< of the metadata files, in their order
  std::optional<BlobLookup> m_blobs;
  std::optional<Whereabouts> m_whereabouts;
  std::map<hash::Digest, std::string> m_manifests;
  Volumes m_volumes;
  std::map<hash::Digest, std::map<std::uint64_t, HeldPart>> m_parts;  ///< by blob and offset
  std::vector<std::string> m_unusable;
};

}  // namespace airgap::bundle
