#include "common/upload_records/record_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include <cerrno>
#include <chrono>
#include <utility>

#include "common/diag/error.hpp"
#include "common/diag/log.hpp"
#include "common/hash/hasher.hpp"
#include "common/text/escape.hpp"
#include "common/upload_records/record.hpp"

namespace airgap::upload_records {
namespace {

constexpr mode_t k_mode = 0600;

std::string name_of(const registry::UploadKey& key) {
  return hash::sha256_of(fmt::format("{}\n{}\n{}", key.origin, key.repository, key.digest.str())).hex();
}

Time now(const task::Clock& clock) {
  return std::chrono::floor<std::chrono::seconds>(clock.wall());
}

std::optional<registry::UploadState> read(const io::Directory& folder, const std::string& name,
                                          const registry::UploadKey& key, Time time) {
  try {
    if (!folder.stat(name)) return std::nullopt;
    return read_record(folder.read_file(name, k_max_record), key, time);
  } catch (const diag::Error&) {  // too large, no file, not to be read
    return std::nullopt;
  }
}

}  // namespace

RecordFile::RecordFile(std::shared_ptr<const io::Directory> folder, registry::UploadKey key,
                       task::Clock& clock)
    : m_folder(std::move(folder)),
      m_key(std::move(key)),
      m_clock(clock),
      m_name(name_of(m_key)),
      m_lock(*m_folder, file(k_lock)),
      m_left(read(*m_folder, file(k_record), m_key, now(m_clock))) {}

RecordFile::~RecordFile() {
  try {
    if (!m_folder->stat(file(k_record))) m_folder->remove_file(file(k_lock));
  } catch (...) {  // NOLINT(bugprone-empty-catch): it is empty, and removed when it is old
  }
}

void RecordFile::keep(const registry::UploadState& state) noexcept {
  if (m_broken) return;
  try {
    write(write_record(m_key, state, now(m_clock)));
  } catch (const std::exception& error) {
    m_broken = true;
    forget();  // what it says is not so any more
    diag::log("registry", diag::LogLevel::debug,
              fmt::format("how far uploads are is not kept for a later run: {}", text::escape(error.what())));
  }
}

// Not synced: what a power cut leaves of it is read as hostile input is.
void RecordFile::write(const std::string& text) const {
  if (text.size() > k_max_record) throw diag::StorageError("the registry's location is too long");
  const std::string temporary = file(k_temporary);
  m_folder->remove_file(temporary);
  const std::string path = m_folder->path_of(temporary);
  io::File made(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, k_mode), path);
  if (made.fd() < 0) io::throw_errno(errno, "cannot create " + path);
  made.write_all(io::bytes_of(text));
  made.close();
  m_folder->rename(temporary, file(k_record));
}

void RecordFile::forget() noexcept {
  try {
    m_folder->remove_file(file(k_record));
    m_folder->remove_file(file(k_temporary));
  } catch (...) {  // NOLINT(bugprone-empty-catch): the registry knows no such upload any more
  }
}

}  // namespace airgap::upload_records
