#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace airgap::cli {

/// A text that the operator named on the command line.
struct InputFile {
  std::string text;
  std::string shown;             ///< its name in messages
  bool others_may_read = false;  ///< it is a file, and not the owner's alone
};

/// Reads a file, or standard input for "-", without a byte order mark. Links are followed, for the operator
/// named it: --from <(command) is one. `what` is "the list", `option` "--from", for messages. Throws
/// UsageError when it cannot be read or has more than `cap` bytes.
InputFile read_input_file(const std::string& path, std::size_t cap, std::string_view what,
                          std::string_view option);

}  // namespace airgap::cli
