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
  Seal(const io::File& file, const VolumePlan& plan, std::size_t volume)
      : m_file(file), m_plan(plan), m_volume(plan.volumes[volume]) {}

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
        sums.emplace(name, earlier ? earlier->at(name) : read_back(i));
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

  hash::Digest read_back(std::size_t part) const {
    const tar::Place& place = m_volume.place_of(part);
    hash::Hasher hasher(hash::Algorithm::sha256);
    std::vector<std::byte> buffer(io::k_pump_buffer);
    for (std::uint64_t done = 0; done < place.size;) {
      const auto wanted = std::span(buffer).first(
          static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), place.size - done)));
      if (m_file.read_at(place.data + done, wanted) != wanted.size())
        throw diag::StorageError(m_file.path() + " is shorter than what was written to it");
      hasher.update(wanted);
      done += wanted.size();
    }
    return hasher.finish();
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
};

}  // namespace

void seal_volume(const io::File& file, const VolumePlan& plan, std::size_t volume,
                 const std::map<std::size_t, hash::Digest>& known) {
  Seal(file, plan, volume).run(known);
}

}  // namespace airgap::bundle
