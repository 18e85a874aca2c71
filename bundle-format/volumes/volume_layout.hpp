#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "bundle-format/metadata/contents.hpp"
#include "bundle-format/volumes/volume_json.hpp"
#include "common/tar/tar_layout.hpp"

namespace airgap::bundle {

/// One volume as an archive: every member and where it lies. A plain value.
class VolumeLayout {
 public:
  /// `head` are the metadata files, by name and size; `mtime` is that of every member, in seconds since 1970.
  VolumeLayout(std::vector<tar::Member> head, VolumeInfo info, std::uint64_t mtime);

  const VolumeInfo& info() const noexcept { return m_info; }
  const std::string& json() const noexcept { return m_json; }  ///< the bytes of volume.json
  std::uint64_t length() const noexcept { return m_layout.end; }
  std::uint64_t mtime() const noexcept { return m_mtime; }

  const std::vector<tar::Member>& head() const noexcept { return m_head; }
  const tar::Place& head_place(std::size_t file) const { return m_layout.places[file]; }
  const tar::Place& json_place() const { return m_layout.places[m_head.size()]; }
  const tar::Place& place_of(std::size_t part) const { return m_layout.places[m_head.size() + 1 + part]; }
  const tar::Place& sums_place() const { return m_layout.places.back(); }

  std::string header_of(std::size_t part) const;
  std::string json_header() const;
  std::string sums_header() const;

 private:
  std::vector<tar::Member> m_head;
  VolumeInfo m_info;
  std::string m_json;
  std::uint64_t m_mtime;
  tar::Layout m_layout;
};

std::vector<tar::Member> members_of(const std::vector<MetadataFile>& metadata);

}  // namespace airgap::bundle
