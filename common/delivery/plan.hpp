#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <vector>

#include "common/delivery/placement.hpp"
#include "common/delivery/required_blobs.hpp"
#include "common/delivery/survey.hpp"

namespace airgap::delivery {

/// How one blob gets into every repository that needs it.
struct BlobStep {
  image::Descriptor blob;
  std::optional<registry::Repository>
      from;  ///< a repository of the same registry that has it already: mount from there
  std::vector<registry::Repository>
      missing;                      ///< those that lack it; without `from` the first one gets an upload
  std::vector<std::size_t> images;  ///< placements that need it

  bool carried = true;     ///< the sender has it; else `from` is there
  std::uint64_t kept = 0;  ///< bytes that an upload of an earlier run left there

  bool upload() const { return !from && !missing.empty(); }
  bool lacked_by(const registry::Repository& repository) const;
};

/// A blob that neither the sender nor the registry has.
struct MissingBlob {
  image::Descriptor blob;
  std::vector<std::size_t> images;  ///< placements that need it
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

/// A list of referrers that the registry does not keep itself, to be made, or to be extended by what it
/// lacks.
struct ReferrersStep {
  registry::Repository repository;
  hash::Digest subject;
  std::vector<image::Descriptor> referrers;
  std::vector<std::size_t> images;  ///< beside `referrers`: their placements
  bool exists = false;
};

/// How the blobs of an image get into its repository. One that two images of a repository need is in both.
struct ImageBytes {
  std::uint64_t upload = 0;
  std::uint64_t mount = 0;
  std::uint64_t present = 0;
};

/// What a delivery will do, in order: blobs, manifests, lists of referrers, tags. A plain value. It is not to
/// be carried out while something is missing.
struct Plan {
  std::vector<Placement> placements;
  /// Those that some repository lacks. The large ones first: begun last, one of them would be on its way
  /// alone while the other workers have nothing to do.
  std::vector<BlobStep> blobs;
  std::vector<ManifestStep> manifests;
  std::vector<ReferrersStep> referrers;
  std::vector<TagStep> tags;  ///< unchanged ones too, but for those of images in place
  std::vector<MissingBlob> missing;
  std::set<hash::Digest> required;  ///< blobs that the sender does not have
  // In bytes.
  std::uint64_t upload_bytes = 0;
  std::uint64_t mount_bytes = 0;    ///< in every repository into which a blob is mounted, after an upload too
  std::uint64_t there_bytes = 0;    ///< in every repository that has a blob already
  std::uint64_t present_bytes = 0;  ///< of blobs that no repository lacks, each once
  std::uint64_t kept_bytes = 0;     ///< of upload_bytes, what uploads of an earlier run left there

  bool nothing_to_do() const;
  std::vector<bool> touched() const;               ///< beside `placements`: those that a step is for
  std::uint64_t step_bytes() const;                ///< of `blobs`, each once
  std::vector<ImageBytes> bytes_by_image() const;  ///< beside `placements`
};

/// Pure. `required` are the blobs that the sender does not have.
Plan make_plan(std::vector<Placement> placements, const RegistryContent& content,
               const RequiredBlobs& required = {});

}  // namespace airgap::delivery
