#pragma once

#include <string>
#include <string_view>

#include "bundle-format/metadata/bundle_json.hpp"

namespace airgap::bundle {

/// The file oci-layout. OCI image-layout, "oci-layout file".
std::string write_oci_layout();
/// Throws UnsafeError for any other version.
void check_oci_layout(std::string_view bytes);

/// index.json: a descriptor an image, with its full source name for the tools that look names up there.
std::string write_index_json(const BundleInfo& info);
/// Throws UnsafeError unless index.json names the same images as `info`, in the same order.
void check_index_json(std::string_view bytes, const BundleInfo& info);

}  // namespace airgap::bundle
