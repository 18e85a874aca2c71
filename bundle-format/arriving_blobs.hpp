#pragma once

#include <functional>
#include <string_view>
#include <vector>

#include "bundle-format/metadata/bundle_json.hpp"
#include "bundle-format/synced_batches.hpp"
#include "common/io/directory.hpp"
#include "common/transport/image_source.hpp"
#include "common/transport/observer.hpp"

namespace airgap::bundle {

/// Blobs on their way into a directory. They come in as .partial/<alg>-<hex>, which a rerun continues, and
/// are handed on in batches, each synced before: what gets a final name is whole. Thread-safe. Destroyed
/// earlier, it leaves what came for the next run.
class ArrivingBlobs {
 public:
  /// Moves blobs out of .partial/ to their final names. From any thread.
  using Publish = std::function<void(const std::vector<Blob>& batch)>;

  /// `root` is borrowed, and holds a .partial/ by then.
  ArrivingBlobs(const io::Directory& root, Publish publish);

  /// Reads `open` to its end, as take_in() does.
  void receive(const Blob& blob, const transport::BlobOpener& open, transport::Observer& observer);
  void store(const Blob& blob, std::string_view bytes);  ///< a small one whose bytes are known to be right
  void publish_rest() { m_batches.publish_rest(); }      ///< what is whole and has no final name yet

  bool waiting(const hash::Digest& digest) const;       ///< whole, without its final name yet
  std::uint64_t partial_bytes(const Blob& blob) const;  ///< that an earlier run left unfinished

 private:
  void sync(const std::vector<Blob>& batch) const;

  const io::Directory& m_root;
  SyncedBatches<Blob> m_batches;  ///< whole in .partial
};

}  // namespace airgap::bundle
