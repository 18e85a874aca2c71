#pragma once

#include <functional>
#include <stop_token>
#include <string>

#include "bundle-format/volumes/volumes_in_progress.hpp"
#include "bundle-format/volumes/volumes_left.hpp"
#include "common/transport/image_source.hpp"

namespace airgap::bundle {

/// Puts the unfinished set aside, under names that say that its blobs are taken from it: it becomes one of
/// `left.replaced`. `path` is for messages.
void set_aside(const io::Directory& directory, const VolumeNames& names, const std::string& path,
               VolumesLeft& left);

/// Brings what other sets hold of a plan's blobs into the volumes of that plan, so that it is not fetched.
/// Borrows all it is made from.
class TakeOver {
 public:
  /// Stores a blob that is not there whole: BundleWriter::put_blob().
  using Put = std::function<void(const Blob& blob, const transport::BlobOpener& open)>;

  TakeOver(const io::Directory& directory, const VolumePlan& plan, VolumesInProgress& progress, Put put,
           std::stop_token stop);

  /// From an unfinished set, whole blobs and the fronts of others. Each file goes away when the next one is
  /// read. Throws IntegrityError for a damaged blob that somebody vouched for, which the next run fetches
  /// anew, and Interrupted.
  void consume(const LeftSet& set);
  /// From a finished set, which stays as it is. Throws IntegrityError when it is damaged, and Interrupted.
  void copy(const LeftSet& set);

 private:
  bool gives_more(const LeftSet& set, const Blob& blob) const;
  void take(const LeftSet& set, const Blob& blob, bool finished);
  void take_whole(const LeftSet& set, const Blob& blob, bool finished);
  void take_front(const LeftSet& set, const Blob& blob);
  /// "FILE is", or "one of FILE to FILE is" where the blob goes on from volume to volume.
  std::string files_of(const LeftSet& set, const Blob& blob) const;
  std::unique_ptr<io::Source> open(const LeftSet& set, const Blob& blob, std::uint64_t offset) const;

  const io::Directory& m_directory;
  const VolumePlan& m_plan;
  VolumesInProgress& m_progress;
  Put m_put;
  std::stop_token m_stop;
};

}  // namespace airgap::bundle
