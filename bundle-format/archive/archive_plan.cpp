#include "bundle-format/archive/archive_plan.hpp"

namespace airgap::bundle {
namespace {

std::vector<tar::Member> members_of(const std::vector<MetadataFile>& metadata,
                                    const std::vector<Blob>& blobs) {
  std::vector<tar::Member> members;
  members.reserve(metadata.size() + blobs.size());
  for (const MetadataFile& file : metadata) members.push_back({file.name, file.bytes.size()});
  for (const Blob& blob : blobs) members.push_back({blob_path(blob.digest), blob.stored_size});
  return members;
}

}  // namespace

ArchivePlan::ArchivePlan(std::vector<MetadataFile> metadata_files, const BundleInfo& info)
    : metadata(std::move(metadata_files)),
      blobs(info.blobs),
      layout(tar::lay_out(members_of(metadata, blobs))),
      mtime(created_seconds(info.created)) {
  for (std::size_t i = 0; i < blobs.size(); ++i) index.emplace(blobs[i].digest, i);
}

ArchivePlan::ArchivePlan(std::vector<Blob> found, std::vector<tar::Place> places)
    : blobs(std::move(found)), layout{.places = std::move(places), .end = 0} {
  for (std::size_t i = 0; i < blobs.size(); ++i) index.emplace(blobs[i].digest, i);
}

std::string ArchivePlan::header_of(std::size_t blob) const {
  return tar::header_bytes({blob_path(blobs[blob].digest), blobs[blob].stored_size}, mtime);
}

std::string ArchivePlan::header_of(const MetadataFile& file) const {
  return tar::header_bytes({file.name, file.bytes.size()}, mtime);
}

}  // namespace airgap::bundle
