#include "bundle-format/volumes/volume_set.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "bundle-format/metadata/layout.hpp"
#include "bundle-format/volumes/volume_names.hpp"
#include "common/diag/error.hpp"
#include "common/diag/log.hpp"
#include "common/io/file.hpp"
#include "common/text/escape.hpp"

namespace airgap::bundle {
namespace {

namespace fs = std::filesystem;

std::string name_of_file(const std::string& path) {
  return text::escape(fs::path(path).filename().string());
}

std::string parent_of(const std::string& path) {
  const std::string parent = fs::path(path).parent_path().string();
  return parent.empty() ? "." : parent;
}

/// What one path leads to.
struct Lead {
  std::string path;
  bool directory = false;
  std::vector<FoundVolume> volumes{};
  std::vector<std::string> unreadable{};  ///< paths with names like a volume's, of what is none
};

// A directory that is a bundle itself holds no volumes.
bool is_bundle(const std::string& directory) {
  std::error_code error;
  return fs::exists(fs::path(directory) / k_oci_layout_file, error) ||
         fs::exists(fs::path(directory) / k_sha256_file, error);
}

void look_into(const std::string& directory, const std::string& only_of, Lead& lead) {
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
  if (error) io::throw_errno(error.value(), "cannot list " + directory);
  std::ranges::sort(files);
  for (const std::string& file : files) {
    try {
      auto volume = look_for_volume(file);
      if (volume && !volume->head_damaged) {
        lead.volumes.push_back(std::move(*volume));
        continue;
      }
    } catch (const diag::UnsafeError&) {
    } catch (const diag::StorageError&) {
    }
    if (archive_of_volume(fs::path(file).filename().string())) lead.unreadable.push_back(file);
  }
}

Lead follow(const std::string& path) {
  Lead lead{.path = path};
  std::error_code error;
  if (fs::is_directory(path, error)) {
    lead.directory = true;
    if (!is_bundle(path)) look_into(path, {}, lead);
  } else if (fs::is_regular_file(path, error)) {
    if (auto volume = look_for_volume(path)) lead.volumes.push_back(std::move(*volume));
  } else if (!fs::exists(path, error) && path.ends_with(k_archive_ending)) {
    lead.directory = true;
    if (fs::is_directory(parent_of(path), error))
      look_into(parent_of(path), fs::path(path).filename().string(), lead);
  }
  return lead;
}

class Gathering {
 public:
  std::optional<VolumeSet> run(const std::vector<std::string>& paths) {
    std::vector<Lead> leads;
    leads.reserve(paths.size());
    for (const std::string& path : paths) leads.push_back(follow(path));
    if (std::ranges::all_of(leads, [](const Lead& lead) { return lead.volumes.empty(); })) {
      if (paths.size() == 1) return std::nullopt;
      refuse_no_volume(leads.front());
    }
    for (const Lead& lead : leads) {
      if (lead.volumes.empty()) refuse_no_volume(lead);
      add(lead);
    }
    if (leads.size() == 1 && !leads.front().directory) add_siblings(leads.front().path);
    return std::move(m_set);
  }

 private:
  [[noreturn]] static void refuse_no_volume(const Lead& lead) {
    const std::string path = text::escape(lead.path);
    if (lead.directory)
      throw diag::UsageError(fmt::format("there are no volumes in {}", path),
                             "several BUNDLEs are the volumes of one bundle, or folders that hold them");
    if (archive_of_volume(fs::path(lead.path).filename().string()))
      throw diag::IntegrityError(fmt::format("{} is no volume, or its head is damaged", path),
                                 fmt::format("see what 'verify {}' says about it", path));
    throw diag::UsageError(fmt::format("{} is no volume of a bundle", path),
                           "several BUNDLEs are the volumes of one bundle, or folders that hold them");
  }

  void add(const Lead& lead) {
    if (m_set.volumes.empty()) m_wanted = one_bundle_of(lead);
    bool any = false;
    for (const FoundVolume& volume : lead.volumes) {
      if (!same_bundle(volume, *m_wanted)) {
        stranger(volume);
        continue;
      }
      any = true;
      take(volume);
    }
    if (!any) refuse_mixed(lead.volumes.front());
    unreadable(lead);
  }

  void add_siblings(const std::string& path) {
    Lead beside{.path = parent_of(path), .directory = true};
    look_into(beside.path, {}, beside);
    for (const FoundVolume& volume : beside.volumes) {
      same_bundle(volume, *m_wanted) ? take(volume) : stranger(volume);
    }
    unreadable(beside);
  }

  /// A folder with the files of several bundles is fine only when somebody says which one is meant.
  FoundVolume one_bundle_of(const Lead& lead) const {
    const FoundVolume& first = lead.volumes.front();
    const auto other = std::ranges::find_if(
        lead.volumes, [&](const FoundVolume& volume) { return !same_bundle(volume, first); });
    if (other == lead.volumes.end()) return first;
    if (const FoundVolume* finished = only_finished(lead)) return *finished;
    if (std::ranges::none_of(lead.volumes, [&](const FoundVolume& v) { return is_complete(lead, v); }))
      refuse_mixed(*other, first);
    throw diag::UsageError(fmt::format("{} holds volumes of several bundles: {}; {}", text::escape(lead.path),
                                       described(first), described(*other)),
                           fmt::format("name one volume of the bundle that is meant: {}, or {}",
                                       text::escape(first.path), text::escape(other->path)));
  }

  /// A volume of the one set that is finished, where all the others are unfinished; else null.
  static const FoundVolume* only_finished(const Lead& lead) {
    const auto first = std::ranges::find(lead.volumes, false, &FoundVolume::unfinished);
    if (first == lead.volumes.end() || !is_complete(lead, *first)) return nullptr;
    const bool only = std::ranges::all_of(lead.volumes, [&](const FoundVolume& volume) {
      return volume.unfinished || same_bundle(volume, *first);
    });
    return only ? &*first : nullptr;
  }

  static bool is_complete(const Lead& lead, const FoundVolume& of) {
    std::set<std::size_t> numbers;
    for (const FoundVolume& volume : lead.volumes) {
      if (same_bundle(volume, of) && !volume.unfinished) numbers.insert(volume.number);
    }
    return numbers.size() == of.count;
  }

  [[noreturn]] void refuse_mixed(const FoundVolume& volume) const {
    refuse_mixed(volume, m_set.volumes.begin()->second);
  }
  [[noreturn]] static void refuse_mixed(const FoundVolume& volume, const FoundVolume& wanted) {
    throw diag::IntegrityError(
        fmt::format("volumes of different bundles: {}; {}", described(wanted), described(volume)),
        "leave out what does not belong to the bundle that is meant");
  }

  void stranger(const FoundVolume& volume) {
    if (volume.unfinished) {
      m_set.unfinished.push_back(volume.path);
    } else {
      m_set.strangers.push_back(described(volume));
    }
  }
  void unreadable(const Lead& lead) {
    m_set.unreadable.insert(m_set.unreadable.end(), lead.unreadable.begin(), lead.unreadable.end());
  }

  void take(const FoundVolume& volume) {
    m_set.count = volume.count;
    const auto [known, is_new] = m_set.volumes.try_emplace(volume.number, volume);
    if (is_new) return;
    std::error_code error;
    if (fs::equivalent(known->second.path, volume.path, error)) return;
    if (volume.unfinished) return m_set.unfinished.push_back(volume.path);
    if (std::exchange(known->second.unfinished, false)) {
      m_set.unfinished.push_back(known->second.path);
      known->second = volume;
      return;
    }
    throw diag::UsageError(
        fmt::format("volume {} of {} is there twice: {} and {}", volume.number, volume.count,
                    text::escape(known->second.path), text::escape(volume.path)),
        "take one of them away, or name the volumes one by one");
  }

  VolumeSet m_set;
  std::optional<FoundVolume> m_wanted;
};

}  // namespace

std::vector<std::size_t> VolumeSet::missing() const {
  std::vector<std::size_t> numbers;
  for (std::size_t number = 1; number <= count; ++number) {
    if (!volumes.contains(number)) numbers.push_back(number);
  }
  return numbers;
}

std::optional<std::string> VolumeSet::about_unfinished() const {
  if (unfinished.empty()) return std::nullopt;
  const std::string more =
      unfinished.size() > 1 ? fmt::format(" and {} more", unfinished.size() - 1) : std::string();
  return fmt::format("{}{}: passed over, for an export that is unfinished left {}",
                     text::escape(unfinished.front()), more, more.empty() ? "it" : "them");
}

std::optional<std::string> VolumeSet::damaged_file(std::size_t number) const {
  std::set<std::string> files;  // of this volume, by the names of the others
  for (const auto& [other, volume] : volumes) {
    if (const auto archive = archive_of_volume(fs::path(volume.path).filename().string()))
      files.insert(VolumeNames(*archive).volume(number));
  }
  const auto found = std::ranges::find_if(unreadable, [&](const std::string& path) {
    return files.contains(fs::path(path).filename().string());
  });
  if (found == unreadable.end()) return std::nullopt;
  return *found;
}

VolumesNear volumes_near(const std::string& path) {
  std::error_code error;
  Lead lead{.path = fs::is_directory(path, error) ? path : parent_of(path), .directory = true};
  try {
    look_into(lead.path, {}, lead);
  } catch (const diag::StorageError& failed) {
    diag::log("bundle", diag::LogLevel::debug, failed.message());
  }
  return {std::move(lead.volumes), std::move(lead.unreadable)};
}

std::string unreadable_head(const std::string& path) {
  return fmt::format("{} is there, but its head is damaged", name_of_file(path));
}

std::optional<VolumeSet> find_volumes(const std::vector<std::string>& paths) {
  return Gathering().run(paths);
}

}  // namespace airgap::bundle
