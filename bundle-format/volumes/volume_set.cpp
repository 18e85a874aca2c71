#include "bundle-format/volumes/volume_set.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <set>
#include <utility>

#include "bundle-format/metadata/layout.hpp"
#include "bundle-format/volumes/volume_names.hpp"
#include "bundle-format/volumes/volumes_near.hpp"
#include "common/diag/error.hpp"
#include "common/text/escape.hpp"

namespace airgap::bundle {
namespace {

namespace fs = std::filesystem;

/// What one path leads to.
struct Lead {
  std::string path;
  bool directory = false;
  VolumesNear found{};
};

// A directory that is a bundle itself holds no volumes.
bool is_bundle(const std::string& directory) {
  std::error_code error;
  return fs::exists(fs::path(directory) / k_oci_layout_file, error) ||
         fs::exists(fs::path(directory) / k_sha256_file, error);
}

Lead follow(const std::string& path) {
  Lead lead{.path = path};
  std::error_code error;
  if (fs::is_directory(path, error)) {
    lead.directory = true;
    if (!is_bundle(path)) lead.found = volumes_in(path);
  } else if (fs::is_regular_file(path, error)) {
    if (auto volume = look_for_volume(path)) lead.found.volumes.push_back(std::move(*volume));
  } else if (!fs::exists(path, error) && path.ends_with(k_archive_ending)) {
    lead.directory = true;
    if (fs::is_directory(parent_of(path), error))
      lead.found = volumes_in(parent_of(path), fs::path(path).filename().string());
  }
  return lead;
}

/// "a.001.tar and 5 more are volumes 1-6 of 6 of stream …; b.001.tar is volume 1 of 3 of …"
std::string by_bundle(const std::vector<FoundVolume>& volumes) {
  std::vector<std::vector<FoundVolume>> bundles;
  for (const FoundVolume& volume : volumes) {
    const auto known =
        std::ranges::find_if(bundles, [&](const auto& all) { return same_bundle(volume, all.front()); });
    known == bundles.end() ? bundles.push_back({volume}) : known->push_back(volume);
  }
  std::vector<std::string> described_bundles;
  described_bundles.reserve(bundles.size());
  for (const auto& all : bundles) described_bundles.push_back(described(all));
  return fmt::format("{}", fmt::join(described_bundles, "; "));
}

class Gathering {
 public:
  std::optional<VolumeSet> run(const std::vector<std::string>& paths) {
    m_leads.reserve(paths.size());
    for (const std::string& path : paths) m_leads.push_back(follow(path));
    if (std::ranges::all_of(m_leads, [](const Lead& lead) { return lead.found.volumes.empty(); })) {
      if (paths.size() == 1) return std::nullopt;
      refuse_no_volume(m_leads.front());
    }
    for (const Lead& lead : m_leads) {
      if (lead.found.volumes.empty()) refuse_no_volume(lead);
      add(lead);
    }
    if (m_leads.size() == 1 && !m_leads.front().directory) add_siblings(m_leads.front().path);
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
    for (const FoundVolume& volume : lead.found.volumes) {
      if (!same_bundle(volume, *m_wanted)) {
        stranger(volume);
        continue;
      }
      any = true;
      take(volume);
    }
    if (!any) refuse_mixed();
    unreadable(lead.found);
  }

  void add_siblings(const std::string& path) {
    const VolumesNear beside = volumes_in(parent_of(path));
    for (const FoundVolume& volume : beside.volumes) {
      same_bundle(volume, *m_wanted) ? take(volume) : stranger(volume);
    }
    unreadable(beside);
  }

  /// A folder with the files of several bundles is fine only when somebody says which one is meant.
  FoundVolume one_bundle_of(const Lead& lead) const {
    const std::vector<FoundVolume>& volumes = lead.found.volumes;
    const FoundVolume& first = volumes.front();
    const auto other =
        std::ranges::find_if(volumes, [&](const FoundVolume& volume) { return !same_bundle(volume, first); });
    if (other == volumes.end()) return first;
    if (const FoundVolume* finished = only_finished(volumes)) return *finished;
    if (std::ranges::none_of(volumes, [&](const FoundVolume& v) { return is_complete(volumes, v); }))
      refuse_mixed();
    throw diag::UsageError(
        fmt::format("{} holds volumes of several bundles: {}", text::escape(lead.path), by_bundle(volumes)),
        fmt::format("name one volume of the bundle that is meant: {}, or {}", text::escape(first.path),
                    text::escape(other->path)));
  }

  /// A volume of the one set that is finished, where all the others are unfinished; else null.
  static const FoundVolume* only_finished(const std::vector<FoundVolume>& volumes) {
    const auto first = std::ranges::find(volumes, false, &FoundVolume::unfinished);
    if (first == volumes.end() || !is_complete(volumes, *first)) return nullptr;
    const bool only = std::ranges::all_of(
        volumes, [&](const FoundVolume& volume) { return volume.unfinished || same_bundle(volume, *first); });
    return only ? &*first : nullptr;
  }

  static bool is_complete(const std::vector<FoundVolume>& volumes, const FoundVolume& of) {
    std::set<std::size_t> numbers;
    for (const FoundVolume& volume : volumes) {
      if (same_bundle(volume, of) && !volume.unfinished) numbers.insert(volume.number);
    }
    return numbers.size() == of.count;
  }

  [[noreturn]] void refuse_mixed() const {
    std::vector<FoundVolume> all;
    for (const Lead& lead : m_leads)
      all.insert(all.end(), lead.found.volumes.begin(), lead.found.volumes.end());
    throw diag::IntegrityError(fmt::format("volumes of different bundles: {}", by_bundle(all)),
                               "leave out what does not belong to the bundle that is meant");
  }

  void stranger(const FoundVolume& volume) {
    if (volume.unfinished) {
      m_set.unfinished.push_back(volume.path);
    } else {
      m_set.strangers.push_back(described(volume));
    }
  }
  void unreadable(const VolumesNear& found) {
    m_set.unreadable.insert(m_set.unreadable.end(), found.unreadable.begin(), found.unreadable.end());
  }

  void take(const FoundVolume& volume) {
    m_set.count = volume.count;
    const auto [known, is_new] = m_set.volumes.try_emplace(volume.number, volume);
    if (is_new) return;
    FoundVolume& used = known->second;
    std::error_code error;
    if (fs::equivalent(used.path, volume.path, error)) return;
    if (volume.unfinished) return m_set.unfinished.push_back(volume.path);
    if (used.unfinished) {
      m_set.unfinished.push_back(used.path);
      used = volume;
      return;
    }
    if (!same_volume(used, volume)) refuse_twice(used, volume);
    FoundVolume other = volume;
    if (used.cut && !other.cut) std::swap(used, other);
    m_set.copies.push_back(fmt::format("{}: passed over, {} is volume {} of {} as well",
                                       text::escape(other.path), text::escape(used.path), used.number,
                                       used.count));
  }

  /// Which of them is right nobody can tell (R94).
  [[noreturn]] static void refuse_twice(const FoundVolume& one, const FoundVolume& other) {
    throw diag::UnsafeError(
        fmt::format("volume {} of {} is there twice, and not the same: {} and {}", one.number, one.count,
                    text::escape(one.path), text::escape(other.path)),
        "see what 'verify' says about each, and take one of them away");
  }

  std::vector<Lead> m_leads;
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

std::optional<VolumeSet> find_volumes(const std::vector<std::string>& paths) {
  return Gathering().run(paths);
}

}  // namespace airgap::bundle
