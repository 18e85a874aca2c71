#pragma once

#include <memory>
#include <string>

#include "bundle-format/archive/archive_relocation.hpp"
#include "bundle-format/blob_intake.hpp"
#include "common/io/directory.hpp"
#include "common/io/file_lock.hpp"

namespace airgap::bundle {

/// A file as relocation sees it; borrowed.
class FileBytes final : public ArchiveBytes {
 public:
  explicit FileBytes(const io::File& file) : m_file(file) {}
  std::uint64_t size() const override { return m_file.size(); }
  std::size_t read_at(std::uint64_t offset, std::span<std::byte> out) const override;
  void write_at(std::uint64_t offset, std::span<const std::byte> data) override;
  void sync() override { m_file.sync(); }

 private:
  const io::File& m_file;
};

/// NAME.tar.partial, locked. One that nothing was written to goes away again with this object.
class PartialArchive {
 public:
  /// `directory` is borrowed. Throws BusyError when another run has the lock.
  PartialArchive(const io::Directory& directory, std::string name);
  ~PartialArchive();
  PartialArchive(const PartialArchive&) = delete;
  PartialArchive& operator=(const PartialArchive&) = delete;

  const io::File& file() const noexcept { return *m_file; }
  const std::shared_ptr<const io::File>& shared() const noexcept { return m_file; }

  void write(std::uint64_t offset, std::string_view bytes) const;
  void write_padding(const tar::Place& place) const;
  /// Gives it another name, under which it stays. Whoever opens the old one from then on begins anew.
  void rename(const std::string& name);
  /// Gives it the final name; both names are on stable storage when it returns.
  void publish(const std::string& name);
  /// Takes the final name away from the archive, which is to be continued, and opens it. Throws StorageError
  /// where an unfinished one of an earlier run has that name.
  io::File retract(const std::string& name);

 private:
  const io::Directory& m_directory;
  std::string m_name;
  io::FileLock m_lock;
  std::shared_ptr<const io::File> m_file;
  bool m_published = false;
};

/// A blob's place in the archive, with a progress marker where its header is going to be.
class MarkedRoom final : public FileRoom {
 public:
  MarkedRoom(const io::File& file, const tar::Place& place, const hash::Digest& digest)
      : FileRoom(file, place.data), m_slot(place.header), m_digest(digest) {}

  void reached(std::uint64_t bytes) override;
  void mark();   ///< states the bytes reached
  void clear();  ///< states none

 private:
  std::uint64_t m_slot;
  const hash::Digest& m_digest;
  std::uint64_t m_reached = 0;
  std::uint64_t m_marked = 0;
};

}  // namespace airgap::bundle
