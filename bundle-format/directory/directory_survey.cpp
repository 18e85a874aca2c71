#include "bundle-format/directory/directory_survey.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "bundle-format/earlier_bundle.hpp"
#include "bundle-format/metadata/layout.hpp"
#include "common/diag/error.hpp"
#include "common/image/manifest.hpp"
#include "common/text/escape.hpp"

namespace airgap::bundle {
namespace {

constexpr std::string_view k_temporary = ".tmp";  ///< what io::Directory::write_atomically() appends

[[noreturn]] void refuse(const io::Directory& root, const std::string& entry) {
  throw diag::UsageError(
      fmt::format("{} is not empty and is no bundle: it holds '{}'", root.path(), text::escape(entry)),
      "name an empty or new directory, or a file in it: NAME.tar");
}

bool metadata_name(std::string_view name) {
  return metadata_cap(name) || name == k_signature_file;
}

bool is_temporary(const io::Entry& entry) {
  return entry.kind == io::EntryKind::file && is_temporary_name(entry.name);
}

bool belongs(const io::Entry& entry) {
  if (entry.name == k_blobs_directory || entry.name == k_partial_directory)
    return entry.kind == io::EntryKind::directory;
  return is_temporary(entry) || (metadata_name(entry.name) && entry.kind == io::EntryKind::file);
}

std::vector<std::string> algorithm_directories(const io::Directory& root) {
  std::vector<std::string> names;
  if (!root.stat(k_blobs_directory)) return names;
  for (const io::Entry& entry : root.list(k_blobs_directory)) {
    if (is_system_dropping(entry.name)) continue;
    const std::string name = fmt::format("{}/{}", k_blobs_directory, entry.name);
    const bool known = entry.name == "sha256" || entry.name == "sha512";
    if (!known || entry.kind != io::EntryKind::directory) refuse(root, name);
    names.push_back(name);
  }
  return names;
}

}  // namespace

bool is_temporary_name(std::string_view name) {
  return name.ends_with(k_temporary) && metadata_name(name.substr(0, name.size() - k_temporary.size()));
}

std::optional<std::string> read_metadata(const io::Directory& root, std::string_view name) {
  if (!root.stat(name)) return std::nullopt;
  return root.read_file(name, metadata_cap(name).value());
}

void refuse_foreign_directory(const io::Directory& root) {
  std::vector<io::Entry> entries = root.list();
  std::erase_if(entries, [](const io::Entry& entry) { return is_system_dropping(entry.name); });
  for (const io::Entry& entry : entries) {
    if (!belongs(entry)) refuse(root, entry.name);
  }
  // A plain OCI layout of somebody else has our names, but neither of these.
  const bool ours = std::ranges::any_of(entries, [](const io::Entry& entry) {
    return entry.name == k_partial_directory || entry.name == k_bundle_file;
  });
  if (!ours && !entries.empty()) refuse(root, entries.front().name);
}

DirectorySurvey survey_directory(const io::Directory& root) {
  refuse_foreign_directory(root);
  DirectorySurvey survey;
  for (const std::string& directory : algorithm_directories(root)) {
    for (const io::Entry& entry : root.list(directory)) {
      if (is_system_dropping(entry.name)) continue;
      const std::string name = directory + "/" + entry.name;
      if (entry.kind != io::EntryKind::file || !digest_of_path(name)) refuse(root, name);
      survey.blobs.emplace(name, entry.size);
    }
  }
  const auto sums = read_metadata(root, k_sha256_file);
  survey.info = earlier_info(read_metadata(root, k_bundle_file), sums, root.path());
  survey.finished = sums.has_value();
  return survey;
}

void remove_temporary_files(const io::Directory& root) {
  for (const io::Entry& entry : root.list()) {
    if (is_temporary(entry)) root.remove_file(entry.name);
  }
}

std::optional<std::string> published_manifest(const io::Directory& root, const hash::Digest& digest) {
  const std::string name = blob_path(digest);
  const auto entry = root.stat(name);
  if (!entry || entry->kind != io::EntryKind::file || entry->size > image::k_max_manifest)
    return std::nullopt;
  return verified_manifest(root.read_file(name, image::k_max_manifest), digest);
}

void remove_blobs_except(const io::Directory& root, const std::map<std::string, std::uint64_t>& keep) {
  for (const std::string& directory : algorithm_directories(root)) {
    std::size_t left = 0;
    for (const io::Entry& entry : root.list(directory)) {
      const std::string name = directory + "/" + entry.name;
      if (digest_of_path(name) && !keep.contains(name)) {
        root.remove_file(name);
      } else {
        ++left;
      }
    }
    if (left == 0)
      root.remove_directory(directory);
    else
      root.sync(directory);
  }
  if (root.stat(k_blobs_directory) && root.list(k_blobs_directory).empty())
    root.remove_directory(k_blobs_directory);
}

}  // namespace airgap::bundle
