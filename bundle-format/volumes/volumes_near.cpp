#include "bundle-format/volumes/volumes_near.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "bundle-format/metadata/layout.hpp"
#include "bundle-format/volumes/volume_names.hpp"
#include "common/diag/error.hpp"
#include "common/diag/log.hpp"
#include "common/io/file.hpp"
#include "common/text/escape.hpp"

namespace airgap::bundle {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> archives_in(const std::string& directory, const std::string& only_of) {
  std::error_code error;
  std::error_code unknown;
  std::vector<std::string> files;
  fs::directory_iterator entry(directory, error);
  for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    const bool wanted = name.ends_with(k_archive_ending) ||
                        name.ends_with(std::string(k_archive_ending) + std::string(k_partial_ending));
    const bool named = only_of.empty() || VolumeNames(only_of).parse(name);
    if (wanted && named && !is_system_dropping(name) && fs::is_regular_file(entry->path(), unknown))
      files.push_back(entry->path().string());
  }
  if (error) io::throw_errno(error.value(), "cannot list " + text::escape(directory));
  std::ranges::sort(files);
  return files;
}

}  // namespace

VolumesNear volumes_in(const std::string& directory, const std::string& only_of) {
  VolumesNear near;
  for (const std::string& file : archives_in(directory, only_of)) {
    try {
      auto volume = look_for_volume(file);
      if (volume && !volume->head_damaged) {
        near.volumes.push_back(std::move(*volume));
        continue;
      }
    } catch (const diag::UnsafeError&) {
    } catch (const diag::StorageError&) {
    }
    if (archive_of_volume(fs::path(file).filename().string())) near.unreadable.push_back(file);
  }
  return near;
}

VolumesNear volumes_near(const std::string& path) {
  std::error_code error;
  try {
    return volumes_in(fs::is_directory(path, error) ? path : parent_of(path));
  } catch (const diag::StorageError& failed) {
    diag::log("bundle", diag::LogLevel::debug, failed.message());
    return {};
  }
}

std::string parent_of(const std::string& path) {
  const std::string parent = fs::path(path).parent_path().string();
  return parent.empty() ? "." : parent;
}

std::string unreadable_head(const std::string& path) {
  return fmt::format("{} is there, but its head is damaged",
                     text::escape(fs::path(path).filename().string()));
}

}  // namespace airgap::bundle
