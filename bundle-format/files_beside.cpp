#include "bundle-format/files_beside.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "bundle-format/metadata/layout.hpp"
#include "bundle-format/volumes/volume_names.hpp"
#include "common/diag/error.hpp"
#include "common/text/escape.hpp"

namespace airgap::bundle {
namespace {

namespace fs = std::filesystem;

/// A link at the end of it stays one: it is what is replaced.
fs::path resolved(const fs::path& path) {
  std::error_code error;
  const fs::path named = path.has_filename() ? path : path.parent_path();
  fs::path parent = fs::weakly_canonical(fs::absolute(named, error).parent_path(), error);
  return (parent / named.filename()).lexically_normal();
}

bool is_special(const std::string& path) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  return fs::exists(status) && !fs::is_regular_file(status);
}

bool is_same(const std::string& one, const std::string& other) {
  std::error_code error;
  return fs::equivalent(one, other, error) || resolved(one) == resolved(other);
}

bool lies_in(const std::string& file, const std::string& directory) {
  std::error_code error;
  const fs::path way = resolved(file).lexically_relative(fs::canonical(directory, error));
  return !error && !way.empty() && *way.begin() != "..";
}

bool is_directory_bundle(const fs::path& path) {
  std::error_code error;
  return fs::is_empty(path, error) ||
         std::ranges::any_of(std::vector{k_oci_layout_file, k_sha256_file, k_partial_directory},
                             [&](std::string_view name) { return fs::exists(path / name, error); });
}

/// By its name alone, for its head may be damaged.
bool is_volume(const std::string& file) {
  std::error_code error;
  return fs::is_regular_file(file, error) && archive_of_volume(fs::path(file).filename().string());
}

/// A name that a bundle at `archive` uses, or may yet.
bool is_of_archive(const std::string& file, const std::string& archive) {
  const fs::path one = resolved(file);
  const fs::path other = resolved(archive);
  if (one.parent_path() != other.parent_path()) return false;
  const std::string name = other.filename().string();
  const std::string file_name = one.filename().string();
  const std::string partial = name + std::string(k_partial_ending);
  if (file_name == partial || file_name.starts_with(partial + ".")) return true;
  if (!name.ends_with(k_archive_ending)) return false;
  const VolumeNames volumes(name);
  return file_name == volumes.lock() || volumes.parse(file_name);
}

/// What the file is to a bundle; empty where nothing.
std::string_view what_of(const std::string& file, const std::string& bundle, bool output) {
  std::error_code error;
  if (bundle == "-") return fs::equivalent("/dev/stdin", file, error) ? "the bundle itself" : "";
  if (is_same(file, bundle)) return "the bundle itself";
  if (is_volume(file) || is_of_archive(file, bundle)) return "a file of the bundle";
  if (!fs::is_directory(bundle, error) || !lies_in(file, bundle)) return {};
  if (output || is_directory_bundle(bundle)) return "in the bundle's directory";
  // In a tree of skopeo's.
  return fs::exists(resolved(file).replace_filename(k_docker_file), error) ? "in an image's folder" : "";
}

void refuse(const FileBeside& file, const std::vector<std::string>& bundles, const std::string& output) {
  for (const std::string& bundle : bundles) {
    const std::string_view what = what_of(file.path, bundle, bundle == output);
    if (what.empty()) continue;
    throw diag::UsageError(
        fmt::format("{} {} is {}: {}", file.option, text::escape(file.path), what, text::escape(bundle)),
        "name a file beside it: nothing but an export writes to a bundle");
  }
}

}  // namespace

void refuse_overwriting(const std::vector<FileBeside>& files, const std::vector<std::string>& bundles,
                        const std::string& output) {
  std::vector<FileBeside> given;
  std::ranges::copy_if(files, std::back_inserter(given),
                       [](const FileBeside& file) { return !file.path.empty() && !is_special(file.path); });
  for (auto file = given.begin(); file != given.end(); ++file) {
    refuse(*file, bundles, output);
    const auto same =
        std::find_if(given.begin(), file, [&](const auto& other) { return is_same(file->path, other.path); });
    if (same != file)
      throw diag::UsageError(
          fmt::format("{} and {} are one file: {}", same->option, file->option, text::escape(file->path)),
          "name a file for each of them");
  }
}

}  // namespace airgap::bundle
