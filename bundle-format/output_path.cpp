#include "bundle-format/output_path.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <string_view>

#include "bundle-format/metadata/layout.hpp"
#include "common/diag/error.hpp"
#include "common/io/file.hpp"
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
/// What is put behind the name of an archive while it is written, at most.
std::size_t longest_ending(OutputForm form) {
  if (!is_archive(form)) return 0;
  const std::string_view longest =
      form == OutputForm::compressed_archive ? ".partial.replaced-999" : ".partial.moving";
  return longest.size();
}

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

/// Where the path leads, as the kernel goes: "link/.." is above what the link names. What is not there yet
/// stays as it is.
fs::path resolved(const std::string& path) {
  std::error_code error;
  fs::path where = fs::weakly_canonical(fs::absolute(path), error);
  if (error) where = fs::absolute(path).lexically_normal();
  return where.has_filename() ? where : where.parent_path();
}

// A file or directory that appears in a bundle makes it one that does not verify.
void refuse_inside_a_bundle(const std::string& path) {
  fs::path above = resolved(path);
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
  if (resolved(bare) == "/") refuse(path, "it is the root directory", "name another one");
  std::error_code error;
  const fs::file_status status = fs::status(bare, error);
  if (fs::is_symlink(status_of(bare)) && !fs::is_directory(status)) {
    refuse(path, "it is a symbolic link that leads to no directory", "name another one");
  }
  if (fs::exists(status) && !fs::is_directory(status)) {
    refuse(path, "it is there already and is no directory", k_what_can_be_written);
  }
}

std::string in_lower_case(std::string text) {
  std::ranges::transform(text, text.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c; });
  return text;
}

/// `path`, or where it is not there yet, the directory that it would be made in.
fs::path nearest_directory(const std::string& path) {
  fs::path nearest = resolved(path);
  std::error_code error;
  while (!fs::is_directory(nearest, error) && nearest.has_relative_path()) nearest = nearest.parent_path();
  return nearest;
}

// A medium that is write-protected may hold all of it already, which the plan says.
void check_rights(const fs::path& directory) {
  if (::faccessat(AT_FDCWD, directory.c_str(), W_OK | X_OK, AT_EACCESS) == 0 || errno == EROFS) return;
  io::throw_errno(errno, "cannot write in " + text::escape(directory.string()));
}

void check_name(const std::string& name, std::size_t ending, const fs::path& directory,
                std::string_view forbidden, std::string_view file_system) {
  const long most = ::pathconf(directory.c_str(), _PC_NAME_MAX);
  if (most > 0 && name.size() + ending > static_cast<std::size_t>(most)) {
    throw diag::StorageError(
        fmt::format("the name {} is too long: files there have names of {} bytes at most{}",
                    text::escape(name), most,
                    ending > 0 ? fmt::format(", and {} are put behind it meanwhile", ending) : ""),
        "choose a shorter name");
  }
  const std::size_t at = name.find_first_of(forbidden);
  if (at == name.npos) return;
  throw diag::StorageError(fmt::format("the name {} has a '{}', which {} does not take", text::escape(name),
                                       name[at], text::escape(file_system)),
                           "choose a name without it");
}

}  // namespace

OutputForm output_form(const std::string& path) {
  if (path.empty() || path.find('\0') != std::string::npos)
    refuse(path, "that is no path", k_what_can_be_written);
  if (path == "-") return OutputForm::pipe;
  const std::string lower = in_lower_case(path);
  for (const std::string_view ending : k_other_files) {
    if (lower.ends_with(ending))
      refuse(path, fmt::format("{} is not written", ending), k_what_can_be_written);
  }
  if (path.ends_with(k_archive_ending)) {
    check_archive(path);
    return OutputForm::archive;
  }
  if (path.ends_with(k_compressed_ending)) {
    check_archive(path);
    return OutputForm::compressed_archive;
  }
  if (lower.ends_with(k_archive_ending) || lower.ends_with(k_compressed_ending)) {
    refuse(path, "an archive's ending is written in lower case",
           "name it FILE.tar or FILE.tar.zst; a directory of that name is written with a / at the end");
  }
  check_directory(path);
  return OutputForm::directory;
}

OutputForm tree_form(const std::string& path) {
  constexpr std::string_view k_hint = "name a directory for --format skopeo-dir";
  if (path.empty() || path.find('\0') != std::string::npos) refuse(path, "that is no path", k_hint);
  if (path == "-") refuse(path, "skopeo's directories do not go through a pipe", k_hint);
  const std::string lower = in_lower_case(path);
  if (lower.ends_with(k_archive_ending) || lower.ends_with(k_compressed_ending) ||
      std::ranges::any_of(k_other_files, [&](auto ending) { return lower.ends_with(ending); })) {
    refuse(path, "it is called as a file, and skopeo's directories go into a directory",
           fmt::format(
               "--output {}/ makes a directory of that name; without --format skopeo-dir it is an archive",
               text::escape(path)));
  }
  check_directory(path);
  return OutputForm::skopeo_tree;
}

std::optional<io::Medium> medium_of_output(const std::string& path) {
  if (path != "-") return io::medium_of(nearest_directory(path));
  struct stat status {};
  if (::fstat(STDOUT_FILENO, &status) != 0 || !S_ISREG(status.st_mode)) return std::nullopt;
  return io::medium_of("/proc/self/fd/" + std::to_string(STDOUT_FILENO));
}

void check_writable(const std::string& path, OutputForm form) {
  if (form == OutputForm::pipe) return;
  const fs::path directory = nearest_directory(path);
  check_rights(directory);
  const io::Medium medium = io::medium_of(directory);
  const std::size_t ending = longest_ending(form);
  // skopeo calls folders "app:1".
  if (form == OutputForm::skopeo_tree && medium.forbidden_characters().find(':') != std::string_view::npos) {
    throw diag::StorageError(
        fmt::format("{} is on {}, which takes no ':' in names, and skopeo's directories need it",
                    text::escape(path), text::escape(medium.file_system)),
        "write the bundle's own form there, as in --output bundle.tar, or format the medium with ext4 or "
        "XFS");
  }
  for (const fs::path& name : resolved(path).lexically_relative(directory)) {
    if (name != "." && name != "..")
      check_name(name.string(), ending, directory, medium.forbidden_characters(), medium.file_system);
  }
}

}  // namespace airgap::bundle
