#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bundle-format/metadata/bundle_json.hpp"
#include "bundle-format/metadata/layout.hpp"

namespace airgap::bundle {

/// An image as `docker save` lists it: for manifest.json. Digests of one runnable manifest for the default
/// platform.
struct DockerImage {
  std::string name;  ///< RepoTags entry
  hash::Digest config;
  std::vector<hash::Digest> layers;

  friend bool operator==(const DockerImage&, const DockerImage&) = default;
};

/// Signatures that lie beside a registry (lookaside), of an image's manifests, in their order.
using Signatures = std::map<hash::Digest, std::vector<std::string>>;

/// All that a bundle is to hold, known before its first layer moves.
struct Contents {
  BundleInfo info;
  std::vector<DockerImage> docker_images;
  std::map<hash::Digest, std::shared_ptr<const std::string>>
      manifests;                                      ///< bytes of every blob of kind manifest
  std::map<image::Reference, Signatures> signatures;  ///< skopeo's directories alone have a place for them
};

/// A metadata file of a bundle, with its exact bytes.
struct MetadataFile {
  std::string name;
  std::string bytes;

  bool operator==(const MetadataFile&) const = default;
};

/// The metadata files in archive order (SPEC.md, "Metadata"): oci-layout, index.json, bundle.json,
/// manifest.json, then SHA512SUMS where a sha512 blob is present and SHA256SUMS. All known without any
/// layer's bytes. What it returns a reader accepts: it has been read back. Throws UnsafeError for contents
/// beyond the limits of a bundle.
std::vector<MetadataFile> metadata_files(const Contents& contents);

/// The sha256 of SHA256SUMS, which says what all the others hold; nothing where it is not among them.
std::optional<hash::Digest> digest_of_sums(const std::vector<MetadataFile>& files);

}  // namespace airgap::bundle
