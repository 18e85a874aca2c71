#pragma once

#include <optional>
#include <string>

#include "bundle-format/left_files.hpp"

namespace airgap::bundle {

/// The files that NAME.tar, NAME.tar.zst and the volumes NAME.001.tar, ... are written in.
enum class ArchiveKind { one_file, compressed, volumes };

/// Unfinished files that a run which writes another form passes over.
struct OtherForm : LeftFiles {
  std::string form;  ///< "in one file", "in volumes", "in compressed form": that of the first
};

/// What lies where an archive of one kind is to be written to `path`, and was begun as another; not what a
/// run is writing just now, nor somebody else's file. Only looks.
std::optional<OtherForm> left_in_other_form(const std::string& path, ArchiveKind wanted);

}  // namespace airgap::bundle
