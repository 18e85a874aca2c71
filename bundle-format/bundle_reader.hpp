#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "bundle-format/metadata/contents.hpp"
#include "common/diag/error.hpp"
#include "common/transport/image_source.hpp"

namespace airgap::bundle {

/// An image that is not whole.
struct BrokenImage {
  std::string name;  ///< safe to print
  diag::Error error;
};

/// A bundle opened in place, from read-only media too: nothing is written beside it. Opening has checked the
/// metadata files against SHA256SUMS and against each other, and that every file is there with its size and
/// no other is (missing or cut: IntegrityError; extra, links, odd names: UnsafeError). Blobs are not read by
/// that. Thread-safe.
class BundleReader : public transport::ImageSource {
 public:
  virtual const BundleInfo& info() const = 0;
  virtual std::string form() const = 0;  ///< Inspection::form, or "skopeo-dir"; for reports
  /// Images that info() leaves out: of a bundle those that damage touches, where it was opened with
  /// Damaged::left_out, and of a set of volumes those whose manifests are lost; in a tree of skopeo's
  /// directories each image stands for itself.
  virtual const std::vector<BrokenImage>& broken() const {
    static const std::vector<BrokenImage> none;
    return none;
  }
  /// What is wrong beside them and touches no image.
  virtual const std::optional<diag::Error>& other_damage() const {
    static const std::optional<diag::Error> none;
    return none;
  }
  /// The signatures that lie with an image of skopeo's directories.
  virtual Signatures signatures_of(const Image&) const { return {}; }
};

/// What becomes of a bundle where single blobs are damaged.
enum class Damaged {
  refused,
  left_out,  ///< with the images that need them: all manifests are read for that
};

/// Opens a directory, a tar archive, volumes (in any order, or folders that hold them), or a tree as skopeo
/// sync writes it, by any of its folders. Throws UsageError when there is neither a bundle at `paths` nor
/// what may become one, IntegrityError with "unfinished" for one that has no SHA256SUMS or is still .partial,
/// and MissingVolumes (volumes/missing_volumes.hpp) when nothing else is wrong, or nothing but what may be
/// left out. Damage is an IntegrityError that names the images which it touches.
std::unique_ptr<BundleReader> open_bundle(const std::vector<std::string>& paths,
                                          Damaged damaged = Damaged::refused);
inline std::unique_ptr<BundleReader> open_bundle(const std::string& path) {
  return open_bundle(std::vector{path});
}

/// Only the metadata: what `list` needs; does not look at the blobs at all. One volume of a set is enough.
BundleInfo read_info(const std::vector<std::string>& paths);
inline BundleInfo read_info(const std::string& path) {
  return read_info(std::vector{path});
}

/// A bundle that arrives through a pipe: read once, in order, memory bounded. Not thread-safe.
class BundleStream : public transport::ImageSource {
 public:
  virtual const BundleInfo& info() const = 0;
  /// Images that info() leaves out, where it was opened with Damaged::left_out: those that damaged manifests
  /// touch. What other blobs have is known only when they come.
  virtual const std::vector<BrokenImage>& broken() const = 0;
  /// `error` names the images that the damage of the blob touches. What it throws ends the stream.
  using TakeDamage = std::function<void(const Blob& blob, const diag::IntegrityError& error)>;
  /// Every blob that is not a manifest, in archive order; `take` reads the source to its end or not at all
  /// (then the bytes are skipped, still verified). Manifests were read before this is called. A blob of
  /// another digest is told to `damaged`, also when `take` has seen that; what is wrong between the blobs
  /// ends the stream. After the last one the end is checked.
  virtual void for_each_blob(const std::function<void(const Blob&, io::Source&)>& take,
                             const TakeDamage& damaged) = 0;
  /// The same, and damage ends it.
  void for_each_blob(const std::function<void(const Blob&, io::Source&)>& take) {
    for_each_blob(take,
                  [](const Blob&, const diag::IntegrityError& error) { throw diag::IntegrityError(error); });
  }
};

/// Reads the head and all manifests from `input` (borrowed).
std::unique_ptr<BundleStream> open_stream(io::Source& input, Damaged damaged = Damaged::refused);
/// The same from a file that is_packed(); null for any other path.
std::unique_ptr<BundleStream> open_packed(const std::string& path, Damaged damaged = Damaged::refused);

}  // namespace airgap::bundle
