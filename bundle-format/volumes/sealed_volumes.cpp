#include "bundle-format/volumes/sealed_volumes.hpp"

#include <optional>
#include <set>

#include "bundle-format/archive/archive_state.hpp"
#include "bundle-format/archive/partial_archive.hpp"
#include "bundle-format/metadata/layout.hpp"
#include "bundle-format/volumes/inspect_volumes.hpp"
#include "bundle-format/volumes/volume_check.hpp"
#include "bundle-format/volumes/volume_set.hpp"
#include "common/diag/error.hpp"

namespace airgap::bundle {

std::vector<std::string> SealedVolumes::paths() const {
  std::vector<std::string> paths;
  for (std::size_t i = 0; i < m_layouts.size(); ++i)
    paths.push_back(m_directory.path_of(m_names.volume(i + 1)));
  return paths;
}

Inspection SealedVolumes::inspect() const {
  const std::vector<std::string> paths = this->paths();
  VolumeSet set{.count = m_layouts.size(), .volumes = {}};
  for (std::size_t i = 0; i < m_layouts.size(); ++i) {
    const VolumeInfo& info = m_layouts[i]->info();
    set.volumes[i + 1] = {.path = paths[i],
                          .stream = info.stream,
                          .sequence = info.sequence,
                          .number = info.number,
                          .count = info.count};
  }
  Inspection found = inspect_volumes(set, Depth::files);
  for (std::size_t i = 0; i < m_layouts.size(); ++i) compare(paths[i], *m_layouts[i], found.findings);
  return found;
}

// A volume that says of itself what an earlier one of this name said is whole for a reader.
void SealedVolumes::compare(const std::string& path, const VolumeLayout& written,
                            std::vector<Finding>& findings) const {
  CheckedVolume volume = check_volume(path, Depth::metadata);
  if (!volume.layout || volume.layout->json() == written.json()) return;  // else it has its finding
  volume.add(k_volume_file, "it is not what was written: the medium gives what was there before");
  findings.push_back(std::move(volume.findings.back()));
}

void SealedVolumes::refuse_beside_unfinished() const {
  for (const io::Entry& entry : m_directory.list()) {
    const auto volume = m_names.parse(entry.name);
    if (volume && volume->partial && entry.size > 0)
      throw diag::StorageError(m_directory.path_of(entry.name) + ", unfinished, lies where they would go");
  }
}

void SealedVolumes::retract(const std::vector<hash::Digest>& damaged) {
  refuse_beside_unfinished();
  for (std::size_t i = 0; i < m_layouts.size(); ++i)
    m_directory.rename(m_names.volume(i + 1), m_names.partial(i + 1));
  m_directory.sync();
  const std::set<hash::Digest> lost(damaged.begin(), damaged.end());
  for (std::size_t i = 0; i < m_layouts.size(); ++i) {
    const auto& parts = m_layouts[i]->info().parts;
    std::optional<io::File> file;
    for (std::size_t part = 0; part < parts.size(); ++part) {
      if (!lost.contains(parts[part].digest)) continue;
      if (!file) file.emplace(m_directory.open_for_update(m_names.partial(i + 1)));
      FileBytes bytes(*file);
      write_zeros(bytes, m_layouts[i]->place_of(part).header, tar::k_block);
    }
    if (file) file->sync();
  }
}

}  // namespace airgap::bundle
