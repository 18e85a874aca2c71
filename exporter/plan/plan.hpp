#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "bundle-format/metadata/contents.hpp"
#include "common/image/mapping.hpp"
#include "exporter/plan/other_side.hpp"
#include "exporter/resolve/resolve.hpp"

namespace airgap::exporter {

/// Where one blob of the bundle comes from.
struct BlobOrigin {
  registry::Repository repository;
  image::Descriptor descriptor;                  ///< with the urls of a foreign layer
  std::optional<image::Reference> wanted_for{};  ///< the image, where a want-list names the blob
};

/// What `pull` will do. A plain value: it can be printed, compared in a test and run.
struct ExportPlan {
  bundle::Contents contents;
  std::vector<std::vector<hash::Digest>>
      blobs_of_images;                      ///< configs and layers, beside contents.info.images
  std::vector<bundle::Blob> fetch;          ///< configs and layers that are not there yet, in archive order
  std::vector<bundle::Blob> new_manifests;  ///< that are not there yet; their bytes are in `contents`
  std::map<hash::Digest, BlobOrigin> origins;  ///< of every blob in `fetch`
  std::map<hash::Digest, std::shared_ptr<const std::string>>
      at_hand;  ///< bytes of small configs already read
  std::uint64_t fetch_bytes = 0;
  std::uint64_t kept_bytes = 0;          ///< of blobs that an earlier run left whole
  std::uint64_t partial_bytes = 0;       ///< of those in `fetch`, what an earlier run left unfinished
  std::uint64_t packed_bytes = 0;        ///< of all blobs that their types call compressed
  std::uint64_t packed_fetch_bytes = 0;  ///< of those, what is not there yet
  bool unchanged = false;                ///< a finished bundle holds just this already
  /// Of a delta: who says what the other side has, and how many images it does not have as they are now.
  std::vector<std::string> since;
  std::vector<std::string> registries;  ///< that it is for, where receipts say so: each has what is left out
  std::size_t new_images = 0;
};

/// What the place of the bundle holds already.
struct Holdings {
  std::vector<PinnedImage> kept;  ///< images of an earlier bundle that stay beside the selection
  std::optional<bundle::BundleInfo> info;
  std::optional<bundle::BundleInfo> begun{};  ///< of an unfinished bundle that is to replace a finished one
  bool finished = false;     ///< sealed, nothing has touched it since, and it may stay in its shape
  bool number_used = false;  ///< `info` was sealed once, so new contents take the next sequence number
  std::function<bool(const bundle::Blob&)> has_blob;
  std::function<std::uint64_t(const bundle::Blob&)> partial_bytes;  ///< of a blob that is not there whole
};

struct PlanOptions {
  image::Mapping names;                   ///< recorded as the bundle's default
  std::string creator;                    ///< "airgap-export 0.1.0"
  std::string created;                    ///< RFC 3339, when the contents are new
  std::string new_stream;                 ///< the stream id of a first bundle
  const OtherSide* other_side = nullptr;  ///< what a delta leaves out; none for a whole bundle
};

/// Pure. Throws UsageError for two images with one target inside (R151).
ExportPlan make_plan(const PinnedImages& pinned, const Holdings& holdings, const PlanOptions& options);

/// A stream id: random, or with a fixed SOURCE_DATE_EPOCH derived from the images, so that the same lock
/// gives the same bytes (README.md, "Results for machines").
std::string random_stream();
std::string derived_stream(const PinnedImages& pinned);

}  // namespace airgap::exporter
