#pragma once

#include <optional>
#include <string>

#include "common/io/medium.hpp"

namespace airgap::bundle {

enum class OutputForm { directory, archive, compressed_archive, pipe, skopeo_tree };

/// A file that is not changed any more when it is finished.
constexpr bool is_archive(OutputForm form) {
  return form == OutputForm::archive || form == OutputForm::compressed_archive;
}
/// Written from its first byte to its last: a blob that fails cannot be left out any more.
constexpr bool is_in_order(OutputForm form) {
  return form == OutputForm::pipe || form == OutputForm::compressed_archive;
}

/// What form a path asks for: "-" is a pipe, a name ending in ".tar" an archive, in ".tar.zst" a compressed
/// one, all else a directory. Throws UsageError for a path that exists as something else, "/", or an ending
/// that is not written.
OutputForm output_form(const std::string& path);
/// The same for a tree of skopeo's directories: any path of a directory.
OutputForm tree_form(const std::string& path);

/// The medium that a bundle at `path` is written to; for "-", where standard output is a file. Nothing for a
/// pipe.
std::optional<io::Medium> medium_of_output(const std::string& path);

/// Refuses what the system would refuse when it is written: a place without rights, a name that is too long,
/// or that has characters which the file system does not take. Only looks. Throws StorageError.
void check_writable(const std::string& path, OutputForm form);

}  // namespace airgap::bundle
