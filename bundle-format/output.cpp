#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>

#include "bundle-format/archive/archive_place.hpp"
#include "bundle-format/archive/archive_writer.hpp"
#include "bundle-format/bundle_writer.hpp"
#include "bundle-format/compressed/compressed_writer.hpp"
#include "bundle-format/compressed/earlier_tar.hpp"
#include "bundle-format/directory/directory_place.hpp"
#include "bundle-format/directory/directory_writer.hpp"
#include "bundle-format/metadata/layout.hpp"
#include "bundle-format/pipe/pipe_writer.hpp"
#include "bundle-format/skopeo_tree/shared_file.hpp"
#include "bundle-format/skopeo_tree/tree_writer.hpp"
#include "bundle-format/volumes/volume_writer.hpp"
#include "bundle-format/volumes/volumes_place.hpp"
#include "common/diag/error.hpp"
#include "common/text/escape.hpp"

namespace airgap::bundle {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view k_what_can_be_written =
    "what can be written: FILE.tar, FILE.tar.zst, a directory, or - for a pipe";
/// Endings that ask for a file of a kind that is not written.
constexpr std::array<std::string_view, 13> k_other_files{
    ".tar.gz", ".tar.xz", ".tar.bz2", ".tgz",         ".tzst",           ".txz", ".tbz2", ".zip",
    ".7z",     ".iso",    ".oci",     ".tar.partial", ".tar.zst.partial"};

fs::file_status status_of(const std::string& path) {
  std::error_code error;
  const fs::file_status status = fs::symlink_status(path, error);
  if (status.type() == fs::file_type::none) {
    if (error == std::errc::permission_denied)
      io::throw_errno(EACCES, "cannot look at " + text::escape(path));
    throw diag::UsageError(fmt::format("cannot look at {}: {}", text::escape(path), error.message()));
  }
  return status;
}

[[noreturn]] void refuse(const std::string& path, std::string_view why, std::string_view hint) {
  throw diag::UsageError(fmt::format("cannot write a bundle to '{}': {}", text::escape(path), why),
                         std::string(hint));
}

// A file or directory that appears in a bundle makes it one that does not verify.
void refuse_inside_a_bundle(const std::string& path) {
  fs::path above = fs::absolute(path).lexically_normal();
  if (!above.has_filename()) above = above.parent_path();
  while (above.has_relative_path()) {
    above = above.parent_path();
    std::error_code error;
    const bool finished =
        fs::exists(above / k_bundle_file, error) && fs::exists(above / k_oci_layout_file, error);
    const bool unfinished = fs::exists(above / k_partial_directory / "lock", error);
    if (!finished && !unfinished) continue;
    refuse(path, fmt::format("{} is a bundle", text::escape(above.string())),
           "write beside it, not inside: what is in it is what SHA256SUMS lists");
  }
}

void check_archive(const std::string& path) {
  refuse_inside_a_bundle(path);
  for (const std::string& file : {path, path + std::string(k_partial_ending)}) {
    const fs::file_status status = status_of(file);
    if (status.type() == fs::file_type::directory) {
      refuse(file, "it is a directory",
             "a bundle in a directory of that name is written with a / at the end");
    }
    if (fs::is_symlink(status)) refuse(file, "it is a symbolic link", "name the file itself");
    if (fs::exists(status) && !fs::is_regular_file(status)) {
      refuse(file, "it is no regular file", k_what_can_be_written);
    }
  }
  const fs::path parent = fs::path(path).parent_path();
  std::error_code error;
  if (!parent.empty() && !fs::is_directory(parent, error)) {
    refuse(path, "there is no directory " + text::escape(parent.string()), "create it first");
  }
}

// A link to a directory is fine: the user named it.
void check_directory(const std::string& path) {
  refuse_inside_a_bundle(path);
  const std::string bare = fs::path(path).has_filename() ? path : fs::path(path).parent_path().string();
  if (fs::absolute(bare).lexically_normal() == "/")
    refuse(path, "it is the root directory", "name another one");
  std::error_code error;
  const fs::file_status status = fs::status(bare, error);
  if (fs::is_symlink(status_of(bare)) && !fs::is_directory(status)) {
    refuse(path, "it is a symbolic link that leads to no directory", "name another one");
  }
  if (fs::exists(status) && !fs::is_directory(status)) {
    refuse(path, "it is there already and is no directory", k_what_can_be_written);
  }
}

/// `path`, or where it is not there yet, the directory that it would be made in.
std::string nearest_directory(const std::string& path) {
  fs::path nearest = fs::absolute(path).lexically_normal();
  std::error_code error;
  while (!fs::is_directory(nearest, error) && nearest.has_relative_path()) nearest = nearest.parent_path();
  return nearest.string();
}

io::File standard_output() {
  const int fd = ::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
  if (fd < 0) io::throw_errno(errno, "cannot use standard output");
  return {fd, "standard output"};
}

}  // namespace

OutputForm output_form(const std::string& path) {
  if (path.empty() || path.find('\0') != std::string::npos)
    refuse(path, "that is no path", k_what_can_be_written);
  if (path == "-") return OutputForm::pipe;
  for (const std::string_view ending : k_other_files) {
    if (path.ends_with(ending)) refuse(path, fmt::format("{} is not written", ending), k_what_can_be_written);
  }
  if (path.ends_with(k_archive_ending)) {
    check_archive(path);
    return OutputForm::archive;
  }
  if (path.ends_with(k_compressed_ending)) {
    check_archive(path);
    return OutputForm::compressed_archive;
  }
  check_directory(path);
  return OutputForm::directory;
}

OutputForm tree_form(const std::string& path) {
  constexpr std::string_view k_hint = "name a directory for --format skopeo-dir";
  if (path.empty() || path.find('\0') != std::string::npos) refuse(path, "that is no path", k_hint);
  if (path == "-") refuse(path, "skopeo's directories do not go through a pipe", k_hint);
  if (path.ends_with(k_archive_ending) || path.ends_with(k_compressed_ending) ||
      std::ranges::any_of(k_other_files, [&](auto ending) { return path.ends_with(ending); })) {
    refuse(path, "it is called as a file, and skopeo's directories go into a directory",
           fmt::format(
               "--output {}/ makes a directory of that name; without --format skopeo-dir it is an archive",
               text::escape(path)));
  }
  check_directory(path);
  return OutputForm::skopeo_tree;
}

void refuse_to_replace(const std::string& archive) {
  throw diag::UsageError(fmt::format("{} is finished and holds other images", archive),
                         "choose another name, or --overwrite");
}

std::optional<io::Medium> medium_of_output(const std::string& path) {
  if (path == "-") return std::nullopt;
  return io::medium_of(nearest_directory(path));
}

std::unique_ptr<BundlePlace> look_at(const OutputOptions& options) {
  const OutputForm form = options.skopeo_tree ? tree_form(options.path) : output_form(options.path);
  if (form == OutputForm::skopeo_tree) skopeo_tree::refuse_file_system_without_colons(options.path);
  if (form == OutputForm::pipe) return std::make_unique<EmptyPlace>();
  if (form == OutputForm::archive && options.volume_size)
    return look_at_volumes(options.path, *options.volume_size, options.overwrite);
  if (form == OutputForm::archive) return look_at_archive(options.path, options.overwrite);
  if (form == OutputForm::compressed_archive)
    return compressed::look_at_compressed(options.path, options.overwrite, options.stop);
  std::error_code error;
  if (!fs::is_directory(options.path, error)) return std::make_unique<EmptyPlace>();
  if (form == OutputForm::skopeo_tree) return skopeo_tree::look_at_tree(options.path, *options.skopeo_tree);
  return look_at_directory(options.path);
}

std::unique_ptr<BundleWriter> open_writer(const OutputOptions& options) {
  if (options.skopeo_tree) {
    tree_form(options.path);
    return skopeo_tree::open_tree_writer(options.path, *options.skopeo_tree);
  }
  switch (output_form(options.path)) {
    case OutputForm::pipe:
      return open_pipe_writer(standard_output(), options.stop);
    case OutputForm::archive:
      if (options.volume_size)
        return open_volume_writer(options.path, *options.volume_size, options.overwrite, options.stop);
      return open_archive_writer(options.path, options.overwrite, options.stop);
    case OutputForm::compressed_archive:
      return compressed::open_compressed_writer(options.path, options.overwrite, options.stop);
    case OutputForm::directory:
    case OutputForm::skopeo_tree:
      break;
  }
  return open_directory_writer(options.path);
}

}  // namespace airgap::bundle
