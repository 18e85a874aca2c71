#pragma once

#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "bundle-format/bundle_place.hpp"
#include "bundle-format/inspection.hpp"
#include "bundle-format/metadata/contents.hpp"
#include "bundle-format/output_path.hpp"
#include "common/hash/digest.hpp"
#include "common/transport/image_source.hpp"
#include "common/transport/observer.hpp"

namespace airgap::bundle {

/// A bundle being written: in a directory, as an archive or volumes at its final offsets, in order
/// (compressed, pipe), or as skopeo's directories. Call in this order: what an earlier run left
/// (BundlePlace), begin(), put_blob() from any threads, commit(). Destroyed without commit() it leaves an
/// unfinished bundle that a rerun continues. Holds a lock for its life: BusyError when another run has it.
class BundleWriter : public BundlePlace {
 public:
  /// States what the bundle will hold and writes all that is known by now: manifests, and in an archive the
  /// whole head.
  virtual void begin(Contents contents) = 0;
  /// Stores one blob of the contents (config or layer), unless it is there, continuing what an earlier run
  /// left. Reads `open` to its end, verifies size and digest; a mismatch is tried once more from zero (R4),
  /// then thrown as DigestMismatch. Safe from several threads for different digests; to be started in the
  /// order of the contents.
  void put_blob(const Blob& blob, const transport::BlobOpener& open, transport::Observer& observer);
  /// Seals the bundle: everything synced, the final name last. Exit 0 after this is a proof.
  virtual void commit() = 0;
  /// After commit(): the paths by which a reader opens what was sealed. None where nobody reads it back (a
  /// pipe, skopeo's directories).
  virtual std::vector<std::string> sealed_paths() const { return {}; }
  /// How the sealed bundle lies there, without its blobs. What nobody takes for a bundle any more is damaged.
  virtual Inspection inspect_sealed() const;
  /// After commit(): the sha256 of the SHA256SUMS that was written, or was there already. Nothing where
  /// nobody reads it back.
  virtual std::optional<hash::Digest> sealed_sums() const { return std::nullopt; }
  /// Takes a commit() back, since the medium does not hold what was written: the bundle is unfinished again,
  /// and a rerun brings the `damaged` blobs anew. For what has sealed_paths(). Throws
  /// StorageError, and changes nothing, where an unfinished bundle would be lost.
  virtual void retract(const std::vector<hash::Digest>& damaged);

 private:
  /// put_blob() for a blob that is not there.
  virtual void store_blob(const Blob& blob, const transport::BlobOpener& open,
                          transport::Observer& observer) = 0;
};

/// How a tree of skopeo's directories is written.
struct TreeOptions {
  bool scoped = false;  ///< folders are called by the whole name, not by its last component
  bool prune = false;   ///< images beside the contents go away
};

struct OutputOptions {
  std::string path;        ///< DIR, FILE.tar, FILE.tar.zst or "-"
  bool overwrite = false;  ///< a finished archive with another plan may be replaced
  std::stop_token stop{};  ///< asked while nobody reads a pipe, and while what is there is read
  std::optional<TreeOptions> skopeo_tree{};    ///< not a bundle: what skopeo sync writes
  std::optional<std::uint64_t> volume_size{};  ///< in bytes: an archive in volumes of at most so many
};

/// Throws the UsageError for a finished archive that is not what is wanted, and not to be overwritten.
[[noreturn]] void refuse_to_replace(const std::string& archive, const BundleInfo& finished,
                                    const BundleInfo& wanted);

/// Opens the writer for a path; see the files directory_writer, archive_writer, volume_writer,
/// compressed_writer, pipe_writer, tree_writer.
std::unique_ptr<BundleWriter> open_writer(const OutputOptions& options);

/// What open_writer() would find. Only looks: nothing is created, locked or changed, so a bundle that another
/// run writes to is seen as it is just now. Refuses, as open_writer() does, what cannot be written.
std::unique_ptr<BundlePlace> look_at(const OutputOptions& options);

}  // namespace airgap::bundle
