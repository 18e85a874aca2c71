#include "common/upload_records/record_folder.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <utility>

#include "common/diag/error.hpp"
#include "common/diag/log.hpp"
#include "common/io/file_lock.hpp"
#include "common/registry/environment.hpp"
#include "common/text/escape.hpp"
#include "common/upload_records/record.hpp"
#include "common/upload_records/record_file.hpp"

namespace airgap::upload_records {
namespace {

constexpr mode_t k_folder_mode = 0700;

void log(const std::string& why) {
  diag::log("registry", diag::LogLevel::debug,
            fmt::format("uploads are not kept for a later run: {}", text::escape(why)));
}

io::Directory make_folder(const std::string& path) {
  if (path.empty()) throw diag::StorageError("there is no home directory");
  std::filesystem::create_directories(std::filesystem::path(path).parent_path());
  if (::mkdir(path.c_str(), k_folder_mode) != 0 && errno != EEXIST) {
    io::throw_errno(errno, "cannot create directory " + path);
  }
  return io::Directory::open(path);
}

/// The records, and when each was last touched.
std::map<std::string, std::time_t> ages(const io::Directory& folder) {
  std::map<std::string, std::time_t> newest;
  for (const io::Entry& entry : folder.list()) {
    struct stat status {};
    const std::string suffix = std::filesystem::path(entry.name).extension().string();
    if (suffix != k_record && suffix != k_temporary && suffix != k_lock) continue;
    if (::lstat(folder.path_of(entry.name).c_str(), &status) != 0) continue;
    std::time_t& time = newest[entry.name.substr(0, entry.name.size() - suffix.size())];
    time = std::max(time, status.st_mtime);
  }
  return newest;
}

void remove_old(const io::Directory& folder, std::time_t now) {
  for (const auto& [name, touched] : ages(folder)) {
    if (now - touched <= std::chrono::seconds(k_longest_kept).count()) continue;
    try {
      const io::FileLock lock(folder, name + std::string(k_lock));
      for (const auto suffix : {k_record, k_temporary, k_lock})
        folder.remove_file(name + std::string(suffix));
    } catch (const diag::BusyError&) {  // not so old
    }
  }
}

}  // namespace

std::string usual_folder() {
  const std::string state = registry::environment("XDG_STATE_HOME");
  if (state.starts_with('/')) return state + "/airgap/uploads";
  const std::string home = registry::environment("HOME");
  return home.starts_with('/') ? home + "/.local/state/airgap/uploads" : std::string();
}

RecordFolder::RecordFolder(std::string path, task::Clock& clock) : m_path(std::move(path)), m_clock(clock) {}

std::unique_ptr<registry::KeptUpload> RecordFolder::claim(const registry::UploadKey& key) noexcept {
  try {
    const auto in = folder();
    return in ? std::make_unique<RecordFile>(in, key, m_clock) : nullptr;
  } catch (const std::exception& error) {
    log(error.what());
    return nullptr;
  }
}

std::shared_ptr<const io::Directory> RecordFolder::folder() {
  return m_state.with([&](State& state) {
    if (std::exchange(state.asked, true)) return state.folder;
    try {
      state.folder = std::make_shared<const io::Directory>(make_folder(m_path));
      remove_old(*state.folder, std::chrono::system_clock::to_time_t(m_clock.wall()));
    } catch (const std::exception& error) {
      log(error.what());
    }
    return state.folder;
  });
}

}  // namespace airgap::upload_records
