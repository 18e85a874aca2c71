#include "bundle-format/volumes/volume_seal.hpp"

#include <optional>

#include "bundle-format/archive/partial_archive.hpp"
#include "bundle-format/metadata/layout.hpp"
#include "bundle-format/volumes/volume_files.hpp"
#include "bundle-format/volumes/volume_sums.hpp"
#include "common/diag/error.hpp"
#include "common/hash/hasher.hpp"

namespace airgap::bundle {
namespace {

class Seal {
 public:
  Seal(const io::File& file, const VolumePlan& plan, std::size_t volume, const ReadPartBack& read_back)
      : m_file(file), m_plan(plan), m_volume(plan.volumes[volume]), m_read_back(read_back) {}

  void run(const std::map<std::size_t, hash::Digest>& known) {
    VolumeSums sums;
    for (const MetadataFile& file : m_plan.metadata) sums.emplace(file.name, hash::sha256_of(file.bytes));
    sums.emplace(k_volume_file, hash::sha256_of(m_volume.json()));
    std::vector<std::size_t> unknown;
    const auto& parts = m_volume.info().parts;
    for (std::size_t i = 0; i < parts.size(); ++i) {
      const auto found = known.find(i);
      if (found != known.end()) {
        sums.emplace(part_path(parts[i]), found->second);
      } else if (parts[i].number == 0 && parts[i].digest.algorithm() == hash::Algorithm::sha256) {
        sums.emplace(part_path(parts[i]), parts[i].digest);
      } else {
        unknown.push_back(i);
      }
    }
    if (!unknown.empty()) {
      const auto earlier = earlier_sums(sums);
      for (const std::size_t i : unknown) {
        const std::string name = part_path(parts[i]);
        sums.emplace(name, earlier ? earlier->at(name) : m_read_back(i));
      }
    }
    write(write_volume_sums(m_volume.info(), sums));
  }

 private:
  /// Those that an earlier run wrote to a volume that was whole.
  std::optional<VolumeSums> earlier_sums(const VolumeSums& known) const {
    const tar::Place& place = m_volume.sums_place();
    if (m_file.size() != m_volume.length()) return std::nullopt;
    std::string text(static_cast<std::size_t>(place.size), '\0');
    if (m_file.read_at(place.data, std::as_writable_bytes(std::span(text))) != text.size())
      return std::nullopt;
    std::vector<std::string> head;
    for (const MetadataFile& file : m_plan.metadata) head.push_back(file.name);
    try {
      VolumeSums sums = parse_volume_sums(text, head, m_volume.info());
      for (const auto& [name, digest] : known) {
        if (sums.at(name) != digest) return std::nullopt;
      }
      return sums;
    } catch (const diag::FormatError&) {
      return std::nullopt;
    }
  }

  void write(const std::string& sums) {
    const tar::Place& place = m_volume.sums_place();
    m_file.write_at(place.header, io::bytes_of(m_volume.sums_header()));
    write_member(m_file, place, sums);
    FileBytes bytes(m_file);
    write_zeros(bytes, m_volume.length() - tar::k_end_size, tar::k_end_size);
    m_file.truncate(m_volume.length());
    m_file.sync();
  }

  const io::File& m_file;
  const VolumePlan& m_plan;
  const VolumeLayout& m_volume;
  const ReadPartBack& m_read_back;
};

}  // namespace

void seal_volume(const io::File& file, const VolumePlan& plan, std::size_t volume,
                 const std::map<std::size_t, hash::Digest>& known, const ReadPartBack& read_back) {
  Seal(file, plan, volume, read_back).run(known);
}

}  // namespace airgap::bundle
