#include "bundle-format/volumes/volume_set.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <set>
#include <tuple>

#include "bundle-format/metadata/layout.hpp"
#include "bundle-format/metadata/limits.hpp"
#include "bundle-format/open_following.hpp"
#include "bundle-format/volumes/volume_names.hpp"
#include "common/diag/error.hpp"
#include "common/diag/log.hpp"
#include "common/io/file.hpp"
#include "common/tar/tar_layout.hpp"
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

/// The bytes of volume.json, found by hopping from header to header.
std::optional<std::string> volume_json_of(const io::File& file) {
  constexpr std::size_t k_most_hops = 8;
  std::uint64_t offset = 0;
  std::string block(tar::k_block, '\0');
  for (std::size_t hop = 0; hop < k_most_hops; ++hop) {
    if (file.read_at(offset, std::as_writable_bytes(std::span(block))) != block.size()) return std::nullopt;
    const auto header = tar::parse_header(block);
    if (!header || (hop == 0 && header->member.name != k_oci_layout_file)) return std::nullopt;
    offset += tar::k_block;
    if (header->member.name == k_volume_file) {
      if (header->member.size > std::min<std::uint64_t>(k_max_volume_json, file.size())) return std::nullopt;
      std::string json(static_cast<std::size_t>(header->member.size), '\0');
      if (file.read_at(offset, std::as_writable_bytes(std::span(json))) != json.size()) return std::nullopt;
      return json;
    }
    if (!metadata_cap(header->member.name) && header->member.name != k_signature_file) return std::nullopt;
    offset += tar::padded(header->member.size);
  }
  return std::nullopt;
}

/// What one path leads to.
struct Lead {
  std::string path;
  bool directory = false;
  std::vector<FoundVolume> volumes{};
  std::vector<std::string> unreadable{};  ///< names like a volume's, of what is none
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
      if (auto volume = look_for_volume(file)) {
        lead.volumes.push_back(std::move(*volume));
        continue;
      }
    } catch (const diag::UnsafeError&) {
    } catch (const diag::StorageError&) {
    }
    if (archive_of_volume(fs::path(file).filename().string())) lead.unreadable.push_back(name_of_file(file));
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
    for (const std::string& name : lead.unreadable) unreadable(name);
  }

  void add_siblings(const std::string& path) {
    Lead beside{.path = parent_of(path), .directory = true};
    look_into(beside.path, {}, beside);
    for (const FoundVolume& volume : beside.volumes) {
      same_bundle(volume, *m_wanted) ? take(volume) : stranger(volume);
    }
    for (const std::string& name : beside.unreadable) unreadable(name);
  }

  /// A folder with the files of several bundles is fine only when somebody says which one is meant.
  FoundVolume one_bundle_of(const Lead& lead) const {
    const FoundVolume& first = lead.volumes.front();
    const auto other = std::ranges::find_if(
        lead.volumes, [&](const FoundVolume& volume) { return !same_bundle(volume, first); });
    if (other == lead.volumes.end()) return first;
    if (std::ranges::none_of(lead.volumes, [&](const FoundVolume& v) { return is_complete(lead, v); }))
      refuse_mixed(*other, first);
    throw diag::UsageError(fmt::format("{} holds volumes of several bundles: {}; {}", text::escape(lead.path),
                                       described(first), described(*other)),
                           "name one volume of the bundle that is meant");
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
    const std::string text = described(volume);
    diag::log("bundle", diag::LogLevel::info,
              fmt::format("{}: passed over, it belongs to another bundle", text));
    m_set.strangers.push_back(text);
  }
  void unreadable(const std::string& name) {
    m_set.strangers.push_back(fmt::format("{} is no volume, or its head is damaged", name));
  }

  void take(const FoundVolume& volume) {
    m_set.count = volume.count;
    const auto [known, is_new] = m_set.volumes.try_emplace(volume.number, volume);
    if (is_new) return;
    std::error_code error;
    if (fs::equivalent(known->second.path, volume.path, error)) return;
    if (volume.unfinished) return;
    if (std::exchange(known->second.unfinished, false)) {
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

bool same_bundle(const FoundVolume& a, const FoundVolume& b) {
  return std::tie(a.stream, a.sequence, a.count) == std::tie(b.stream, b.sequence, b.count);
}

std::string described(const FoundVolume& volume) {
  return fmt::format("{} is volume {} of {} of stream {} sequence {}", name_of_file(volume.path),
                     volume.number, volume.count, volume.stream, volume.sequence);
}

std::vector<FoundVolume> volumes_near(const std::string& path) {
  std::error_code error;
  Lead lead{.path = fs::is_directory(path, error) ? path : parent_of(path), .directory = true};
  try {
    look_into(lead.path, {}, lead);
  } catch (const diag::StorageError& failed) {
    diag::log("bundle", diag::LogLevel::debug, failed.message());
  }
  return std::move(lead.volumes);
}

std::optional<FoundVolume> look_for_volume(const std::string& path) {
  const auto json = volume_json_of(*open_following(path));
  if (!json) return std::nullopt;
  VolumeInfo info = diag::with_context([&] { return "reading " + text::escape(path); },
                                       [&] { return parse_volume_json(*json); });
  return FoundVolume{.path = path,
                     .stream = std::move(info.stream),
                     .sequence = info.sequence,
                     .number = info.number,
                     .count = info.count,
                     .unfinished = path.ends_with(k_partial_ending)};
}

std::optional<VolumeSet> find_volumes(const std::vector<std::string>& paths) {
  return Gathering().run(paths);
}

}  // namespace airgap::bundle
