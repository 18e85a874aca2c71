#pragma once

#include <cstddef>
#include <functional>
#include <string>

namespace airgap::cli {

using Environment = std::function<std::string(const char* name)>;  ///< empty for what is not set
std::string process_environment(const char* name);

/// What may be written to a terminal besides plain ASCII, by the environment alone.
struct TerminalTraits {
  bool dumb = false;      ///< no cursor movement: TERM is unset or "dumb"
  bool utf8 = false;      ///< the locale's characters are UTF-8
  bool no_color = false;  ///< NO_COLOR is set (no-color.org)
};
TerminalTraits terminal_traits(const Environment& environment);

struct TerminalSize {
  std::size_t columns = 80;
  std::size_t rows = 24;
};
TerminalSize terminal_size(int fd);  ///< 80x24 where the kernel does not know

}  // namespace airgap::cli
