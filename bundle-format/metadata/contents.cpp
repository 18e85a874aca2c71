#include "bundle-format/metadata/contents.hpp"

#include <algorithm>

#include "bundle-format/metadata/docker_manifest.hpp"
#include "bundle-format/metadata/oci_layout.hpp"
#include "bundle-format/metadata/sums.hpp"
#include "common/diag/error.hpp"
#include "common/hash/hasher.hpp"

namespace airgap::bundle {
namespace {

// A bundle that its reader refuses would be found out beyond the gap, so the reader looks at it here.
void read_back(const std::vector<MetadataFile>& files, const Contents& contents) {
  const BundleInfo& info = contents.info;
  for (const MetadataFile& file : files) {
    if (file.name == k_bundle_file && parse_bundle_json(file.bytes) != info)
      throw diag::InternalError("bundle.json does not read back as it was written");
    if (file.name == k_index_file) check_index_json(file.bytes, info);
    if (file.name == k_docker_file && parse_docker_manifest(file.bytes, info) != contents.docker_images)
      throw diag::InternalError("manifest.json does not read back as it was written");
    if (file.bytes.size() > metadata_cap(file.name))
      throw diag::UnsafeError(file.name + " would be over the limit for a bundle",
                              "put fewer images into one bundle");
  }
}

}  // namespace

std::vector<MetadataFile> metadata_files(const Contents& contents) {
  std::vector<MetadataFile> files;
  const auto add = [&](std::string_view name, std::string bytes) {
    files.push_back({std::string(name), std::move(bytes)});
  };
  add(k_oci_layout_file, write_oci_layout());
  add(k_index_file, write_index_json(contents.info));
  add(k_bundle_file, write_bundle_json(contents.info));
  add(k_docker_file, write_docker_manifest(contents.docker_images));
  if (const Sums sums = sha512_sums(contents.info); !sums.files.empty()) add(k_sha512_file, write_sums(sums));
  add(k_sha256_file, write_sums(sha256_sums(contents.info, files)));
  read_back(files, contents);
  return files;
}

std::optional<hash::Digest> digest_of_sums(const std::vector<MetadataFile>& files) {
  const auto sums = std::ranges::find(files, k_sha256_file, &MetadataFile::name);
  if (sums == files.end()) return std::nullopt;
  return hash::sha256_of(sums->bytes);
}

}  // namespace airgap::bundle
