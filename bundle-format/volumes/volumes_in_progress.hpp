#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "bundle-format/archive_state.hpp"
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
  /// After a failed sync no header stays that nothing vouches for.
  ~VolumesInProgress();
  VolumesInProgress(const VolumesInProgress&) = delete;
  VolumesInProgress& operator=(const VolumesInProgress&) = delete;

  /// Goes on with a set that an earlier run left; those of `named` have their final name and are sealed.
  void take_up(const LeftSet& left, const std::set<std::size_t>& named);

  BlobState blob(std::size_t index) const;
  bool whole() const;
  /// A failed sync may have dropped any byte that was not stored yet (R123).
  bool sync_failed() const noexcept { return m_sync_failed; }

  /// Where the parts of a blob go.
  std::vector<PartPlace> places_of(std::size_t blob);
  /// All bytes of the blob are at their places; they are synced together with others. `digests` are those of
  /// its parts, where nobody can tell them from their names. Throws StorageError when a sync fails.
  void arrived(std::size_t index, const std::vector<hash::Digest>& digests);
  /// Syncs what arrived, or these blobs, and writes their headers.
  void publish_batch();
  void publish(const std::vector<std::size_t>& batch);
  /// Every volume, when whole().
  void seal_rest();

 private:
  struct State {
    std::vector<BlobState> blobs;                              ///< beside m_plan.blobs
    std::vector<std::size_t> left;                             ///< blobs of each volume that are not whole
    std::vector<bool> sealed;                                  ///< volumes
    std::vector<std::map<std::size_t, hash::Digest>> digests;  ///< of parts, by volume
    std::vector<std::size_t> batch;                            ///< blobs whose bytes are there, not synced
    std::uint64_t batch_bytes = 0;
  };

  void write_headers(const std::vector<std::size_t>& batch);
  void seal_whole(const std::vector<std::size_t>& batch);
  void seal(std::size_t volume);
  void forget(const std::vector<std::size_t>& blobs) noexcept;

  const VolumePlan& m_plan;
  std::string m_path;
  VolumeFiles m_files;
  std::atomic<bool> m_sync_failed = false;
  task::Guarded<State> m_state;
};

}  // namespace airgap::bundle
