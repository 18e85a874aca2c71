#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "bundle-format/metadata/contents.hpp"

namespace airgap::bundle {

/// manifest.json, as `docker save` writes it:
/// [{"Config":"blobs/…","RepoTags":["name"],"Layers":["blobs/…"]}].
std::string write_docker_manifest(const std::vector<DockerImage>& images);
/// Throws UnsafeError for anything that is not an image of `info` made of its blobs: other tools load from
/// this file, and it must not show them anything that bundle.json does not.
std::vector<DockerImage> parse_docker_manifest(std::string_view bytes, const BundleInfo& info);

}  // namespace airgap::bundle
