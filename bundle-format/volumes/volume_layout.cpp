#include "bundle-format/volumes/volume_layout.hpp"

#include "bundle-format/metadata/layout.hpp"
#include "bundle-format/volumes/volume_sums.hpp"

namespace airgap::bundle {
namespace {

tar::Layout lay_out_members(std::vector<tar::Member> members, const VolumeInfo& info, std::size_t json_size) {
  std::vector<std::string> names;
  names.reserve(members.size());
  for (const tar::Member& member : members) names.push_back(member.name);
  members.push_back({std::string(k_volume_file), json_size});
  for (const Part& part : info.parts) members.push_back({part_path(part), part.size});
  members.push_back({std::string(k_volume_sums_file), volume_sums_size(names, info)});
  return tar::lay_out(members);
}

}  // namespace

VolumeLayout::VolumeLayout(std::vector<tar::Member> head, VolumeInfo info, std::uint64_t mtime)
    : m_head(std::move(head)),
      m_info(std::move(info)),
      m_json(write_volume_json(m_info)),
      m_mtime(mtime),
      m_layout(lay_out_members(m_head, m_info, m_json.size())) {}

std::string VolumeLayout::header_of(std::size_t part) const {
  return tar::header_bytes({part_path(m_info.parts[part]), m_info.parts[part].size}, m_mtime);
}

std::string VolumeLayout::json_header() const {
  return tar::header_bytes({std::string(k_volume_file), m_json.size()}, m_mtime);
}

std::string VolumeLayout::sums_header() const {
  return tar::header_bytes({std::string(k_volume_sums_file), sums_place().size}, m_mtime);
}

std::vector<tar::Member> members_of(const std::vector<MetadataFile>& metadata) {
  std::vector<tar::Member> members;
  members.reserve(metadata.size());
  for (const MetadataFile& file : metadata) members.push_back({file.name, file.bytes.size()});
  return members;
}

}  // namespace airgap::bundle
