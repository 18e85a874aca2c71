#pragma once

#include <memory>
#include <optional>
#include <string>

#include "common/io/directory.hpp"
#include "common/io/file_lock.hpp"
#include "common/registry/kept_uploads.hpp"
#include "common/task/clock.hpp"

namespace airgap::upload_records {

// Names of files. A record is NAME.json, mode 0600, replaced by renaming NAME.tmp; who holds the lock on
// NAME.lock may touch them.
inline constexpr std::string_view k_record = ".json";
inline constexpr std::string_view k_temporary = ".tmp";
inline constexpr std::string_view k_lock = ".lock";

/// One record, locked while it lives. What cannot be written is left out, with one line at level debug.
class RecordFile : public registry::KeptUpload {
 public:
  /// The clock is borrowed. Throws BusyError when another run has it, StorageError.
  RecordFile(std::shared_ptr<const io::Directory> folder, registry::UploadKey key, task::Clock& clock);
  ~RecordFile() override;

  std::optional<registry::UploadState> left() const override { return m_left; }
  void keep(const registry::UploadState& state) noexcept override;
  void forget() noexcept override;

 private:
  std::string file(std::string_view suffix) const { return m_name + std::string(suffix); }
  void write(const std::string& text) const;

  std::shared_ptr<const io::Directory> m_folder;
  registry::UploadKey m_key;
  task::Clock& m_clock;
  std::string m_name;
  io::FileLock m_lock;
  std::optional<registry::UploadState> m_left;
  bool m_broken = false;  // the file system took one no more
};

}  // namespace airgap::upload_records
