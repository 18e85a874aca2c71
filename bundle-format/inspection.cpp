#include "bundle-format/inspection.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <optional>

#include "bundle-format/metadata/layout.hpp"
#include "bundle-format/unfinished.hpp"
#include "bundle-format/volumes/inspect_volumes.hpp"
#include "bundle-format/volumes/volume_names.hpp"
#include "common/diag/log.hpp"
#include "common/io/file.hpp"
#include "common/text/escape.hpp"

namespace airgap::bundle {

namespace {

namespace fs = std::filesystem;

/// What a run that did not finish left.
struct Unfinished {
  std::string file;  ///< of the archive, or of a volume; its head may be lost
  std::string lock;  ///< that its writer locks
};

std::optional<Unfinished> unfinished_at(const std::string& path) {
  std::error_code error;
  const std::string partial = path + std::string(k_partial_ending);
  const bool there = fs::exists(partial, error);
  if (there && fs::file_size(partial, error) > 0) return Unfinished{partial, partial};
  const fs::path archive = path;
  if (!path.ends_with(k_archive_ending))
    return there ? std::optional(Unfinished{partial, partial}) : std::nullopt;
  const VolumeNames names(archive.filename().string());
  for (fs::directory_iterator at(archive.has_parent_path() ? archive.parent_path() : ".", error);
       !error && at != fs::directory_iterator(); at.increment(error)) {
    const auto volume = names.parse(at->path().filename().string());
    if (volume && volume->partial)
      return Unfinished{at->path().string(), lock_of_partial(at->path().string())};
  }
  if (there) return Unfinished{partial, partial};
  return std::nullopt;
}

void tell_unused(const VolumeSet& set) {
  for (const std::string& stranger : set.strangers)
    diag::log("bundle", diag::LogLevel::info,
              fmt::format("{}: passed over, it belongs to another bundle", stranger));
  for (const std::string& copy : set.copies) diag::log("bundle", diag::LogLevel::info, copy);
  if (const auto note = set.about_unfinished()) diag::log("bundle", diag::LogLevel::warning, *note);
}

}  // namespace

std::string MissingVolume::name() const {
  return fmt::format("volume {} of {}", number, count);
}

Inspection inspect(const std::vector<std::string>& paths, Depth depth) {
  if (const auto set = find_volumes(paths)) {
    if (depth == Depth::files) tell_unused(*set);  // once a command: it looks at the metadata alone before
    return inspect_volumes(*set, depth);
  }
  const std::string& path = paths.front();
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  switch (status.type()) {
    case fs::file_type::directory:
      return inspect_directory(path, depth);
    case fs::file_type::regular:
      return inspect_archive(path, depth);
    case fs::file_type::not_found:
      if (const auto left = unfinished_at(path))
        throw diag::IntegrityError(
            fmt::format("{} is unfinished: there is {}", text::escape(path), text::escape(left->file)),
            hint_for_unfinished(left->lock));
      throw diag::UsageError("there is no bundle at " + text::escape(path),
                             "name a directory, or a .tar or .tar.zst file, that airgap-export wrote");
    case fs::file_type::none:
      io::throw_errno(error.value(), "cannot examine " + text::escape(path));
    default:
      throw diag::UsageError(text::escape(path) + " is neither a directory nor a file",
                             "a bundle from a pipe is named -");
  }
}

}  // namespace airgap::bundle
