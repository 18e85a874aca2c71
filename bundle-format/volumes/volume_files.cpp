#include "bundle-format/volumes/volume_files.hpp"

#include "bundle-format/archive/partial_archive.hpp"

namespace airgap::bundle {

VolumeFiles::VolumeFiles(const io::Directory& directory, const VolumeNames& names, const VolumePlan& plan)
    : m_directory(directory), m_names(names), m_plan(plan) {}

void VolumeFiles::keep(std::size_t volume, bool named) {
  m_state.with([&](State& state) {
    state.begun.insert(volume);
    if (named) state.named.insert(volume);
  });
}

std::shared_ptr<const io::File> VolumeFiles::open(std::size_t volume) {
  return m_state.with([&](State& state) {
    std::shared_ptr<const io::File>& file = state.open[volume];
    if (file) return file;
    const bool named = state.named.contains(volume);
    file = std::make_shared<const io::File>(
        m_directory.open_for_update(named ? m_names.volume(volume + 1) : m_names.partial(volume + 1)));
    if (!state.begun.contains(volume)) {
      file->truncate(0);
      write_head(*file, m_plan.volumes[volume]);
      state.begun.insert(volume);
    }
    return file;
  });
}

void VolumeFiles::close(std::size_t volume) {
  m_state.with([&](State& state) { state.open.erase(volume); });
}

void VolumeFiles::write_head(const io::File& file, const VolumeLayout& volume) const {
  for (std::size_t i = 0; i < m_plan.metadata.size(); ++i) {
    const MetadataFile& one = m_plan.metadata[i];
    const std::string header = tar::header_bytes({one.name, one.bytes.size()}, volume.mtime());
    file.write_at(volume.head_place(i).header, io::bytes_of(header));
    write_member(file, volume.head_place(i), one.bytes);
  }
  file.write_at(volume.json_place().header, io::bytes_of(volume.json_header()));
  write_member(file, volume.json_place(), volume.json());
}

void write_member(const io::File& file, const tar::Place& place, std::string_view bytes) {
  file.write_at(place.data, io::bytes_of(bytes));
  write_padding(file, place);
}

void write_padding(const io::File& file, const tar::Place& place) {
  FileBytes bytes(file);
  write_zeros(bytes, place.data + place.size, place.end() - place.data - place.size);
}

}  // namespace airgap::bundle
