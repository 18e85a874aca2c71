#include "bundle-format/archive/partial_archive.hpp"

#include "bundle-format/archive/archive_state.hpp"
#include "common/diag/error.hpp"

namespace airgap::bundle {
namespace {

constexpr std::uint64_t k_marker_step = std::uint64_t{4} << 20;  ///< bytes between two progress markers

}  // namespace

std::size_t FileBytes::read_at(std::uint64_t offset, std::span<std::byte> out) const {
  return m_file.read_at(offset, out);
}

void FileBytes::write_at(std::uint64_t offset, std::span<const std::byte> data) {
  m_file.write_at(offset, data);
}

PartialArchive::PartialArchive(const io::Directory& directory, std::string name)
    : m_directory(directory),
      m_name(std::move(name)),
      m_lock(directory, m_name),
      m_file(std::make_shared<const io::File>(directory.open_for_update(m_name))) {}

PartialArchive::~PartialArchive() {
  try {
    if (!m_published && m_file->size() == 0) m_directory.remove_file(m_name);
  } catch (const diag::Error&) {  // it stays; the next run takes it over
  }
}

void PartialArchive::write(std::uint64_t offset, std::string_view bytes) const {
  m_file->write_at(offset, io::bytes_of(bytes));
}

void PartialArchive::write_padding(const tar::Place& place) const {
  FileBytes bytes(*m_file);
  write_zeros(bytes, place.data + place.size, place.end() - place.data - place.size);
}

void PartialArchive::rename(const std::string& name) {
  m_directory.rename(m_name, name);
  m_published = true;
  m_directory.sync();
}

void PartialArchive::publish(const std::string& name) {
  rename(name);
}

io::File PartialArchive::retract(const std::string& name) {
  if (!m_published && m_file->size() > 0)
    throw diag::StorageError(m_file->path() + ", unfinished, lies where it would go");
  m_directory.rename(name, m_name);
  m_published = true;  // it is not ours to remove
  m_directory.sync();
  return m_directory.open_for_update(m_name);
}

void MarkedRoom::reached(std::uint64_t bytes) {
  m_reached = bytes;
  if (bytes == 0) {
    clear();
  } else if (bytes >= m_marked + k_marker_step) {
    mark();
  }
}

void MarkedRoom::mark() {
  if (m_reached == m_marked) return;
  file().write_at(m_slot, io::bytes_of(progress_marker(m_digest, m_reached)));
  m_marked = m_reached;
}

void MarkedRoom::clear() {
  FileBytes bytes(file());
  write_zeros(bytes, m_slot, tar::k_block);
  m_reached = m_marked = 0;
}

}  // namespace airgap::bundle
