#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace airgap::bundle {

/// Unfinished files that a run which writes another form passes over.
struct OtherForm {
  std::string first;  ///< the path of one
  std::size_t files = 0;
  std::uint64_t bytes = 0;  ///< their lengths
};

/// What lies where an archive is to be written to `path`, and was begun as one file though it is now to be in
/// volumes, or the reverse. Only looks. Throws StorageError.
std::optional<OtherForm> left_in_other_form(const std::string& path, bool in_volumes);

}  // namespace airgap::bundle
