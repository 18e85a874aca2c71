#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "bundle-format/archive/archive_state.hpp"
#include "bundle-format/synced_batches.hpp"
#include "bundle-format/volumes/parts_room.hpp"
#include "bundle-format/volumes/volume_files.hpp"
#include "bundle-format/volumes/volumes_left.hpp"

namespace airgap::bundle {

/// The volumes of a plan while their blobs arrive: what is there whole, what is synced and has a header that
/// vouches for it, which volumes are sealed. Blobs are counted as in the plan, volumes from 0. Borrows all it
/// is made from. Thread-safe.
class VolumesInProgress {
 public:
  /// `path` is for messages.
  VolumesInProgress(const io::Directory& directory, const VolumeNames& names, const VolumePlan& plan,
                    std::string path);

  /// Goes on with a set that an earlier run left; those of `named` have their final name and are sealed.
  void take_up(const LeftSet& left, const std::set<std::size_t>& named);

  BlobState blob(std::size_t index) const;
  bool whole() const;
  bool sync_failed() const noexcept { return m_batches.failed(); }

  /// Where the parts of a blob go.
  std::vector<PartPlace> places_of(std::size_t blob);
  /// All bytes of the blob are at their places; they are synced together with others. `digests` are those of
  /// its parts, where nobody can tell them from their names. Throws StorageError when a sync fails.
  void arrived(std::size_t index, const std::vector<hash::Digest>& digests);
  /// So many bytes from the front of the blob are at their places, and are to be hashed when it goes on. They
  /// are stored when this returns. Throws StorageError.
  void begun(std::size_t index, std::uint64_t bytes);
  /// Syncs what arrived, or these blobs, and writes their headers.
  void publish_batch() { m_batches.publish_rest(); }
  void publish(const std::vector<std::size_t>& blobs) { m_batches.publish(blobs); }
  /// Every volume, when whole().
  void seal_rest();

 private:
  struct State {
    std::vector<BlobState> blobs;                              ///< beside m_plan.blobs
    std::vector<std::size_t> left;                             ///< blobs of each volume that are not whole
    std::vector<bool> sealed;                                  ///< volumes
    std::vector<std::map<std::size_t, hash::Digest>> digests;  ///< of parts, by volume
  };

  void sync(const std::vector<std::size_t>& batch);
  void write_headers(const std::vector<std::size_t>& batch);
  void seal_whole(const std::vector<std::size_t>& batch);
  void seal(std::size_t volume);
  hash::Digest read_part_back(PartIndex at);
  void close_sealed(const std::vector<PartIndex>& parts);
  void forget(const std::vector<std::size_t>& blobs);

  const VolumePlan& m_plan;
  std::string m_path;
  VolumeFiles m_files;
  task::Guarded<State> m_state;
  SyncedBatches<std::size_t> m_batches;  ///< by place in m_plan.blobs
};

}  // namespace airgap::bundle
