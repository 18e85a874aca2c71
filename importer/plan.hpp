#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "importer/map.hpp"
#include "importer/survey.hpp"

namespace airgap::importer {

/// How one blob gets into every repository that needs it.
struct BlobStep {
  image::Descriptor blob;
  std::optional<registry::Repository>
      from;  ///< a repository of the target that has it already: mount from there
  std::vector<registry::Repository>
      missing;                      ///< those that lack it; without `from` the first one gets an upload
  std::vector<std::size_t> images;  ///< placements that need it

  bool upload() const { return !from && !missing.empty(); }
};

/// A manifest to be put by digest into one repository. Those of a lower level come first: children before
/// indexes.
struct ManifestStep {
  registry::Repository repository;
  transport::ManifestDocument document;
  std::size_t level = 0;
  std::vector<std::size_t> images;
};

/// A tag and what it stands for before and after.
struct TagStep {
  std::size_t image = 0;  ///< placement
  image::Reference target;
  hash::Digest digest;
  std::optional<hash::Digest> before;

  bool unchanged() const { return before == digest; }
};

/// What `push` will do, in order: blobs, manifests, tags. A plain value.
struct ImportPlan {
  std::vector<Placement> placements;
  std::vector<BlobStep> blobs;  ///< those that some repository lacks, in archive order
  std::vector<ManifestStep> manifests;
  std::vector<TagStep> tags;  ///< all of them, unchanged ones too
  std::uint64_t upload_bytes = 0;
  std::uint64_t mount_bytes = 0;
  std::uint64_t present_bytes = 0;

  bool nothing_to_do() const;
};

/// Pure. `order` is the bundle's blobs in archive order.
ImportPlan make_plan(std::vector<Placement> placements, const RegistryContent& content,
                     const std::vector<bundle::Blob>& order);

}  // namespace airgap::importer
