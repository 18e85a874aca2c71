#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace airgap::bundle {

/// The files that NAME.tar, NAME.tar.zst and the volumes NAME.001.tar, ... are written in.
enum class ArchiveKind { one_file, compressed, volumes };

/// Unfinished files that a run which writes another form passes over.
struct OtherForm {
  std::string first;  ///< the path of one
  std::string form;   ///< "in one file", "in volumes", "in compressed form": that of the first
  std::size_t files = 0;
  std::uint64_t bytes = 0;  ///< their lengths
};

/// What lies where an archive of one kind is to be written to `path`, and was begun as another; not what a
/// run is writing just now, nor somebody else's file. Only looks.
std::optional<OtherForm> left_in_other_form(const std::string& path, ArchiveKind wanted);

}  // namespace airgap::bundle
