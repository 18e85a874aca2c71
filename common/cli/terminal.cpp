#include "common/cli/terminal.hpp"

#include <sys/ioctl.h>

#include <algorithm>
#include <cstdlib>

namespace airgap::cli {

std::string process_environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string{} : std::string(value);
}

TerminalTraits terminal_traits(const Environment& environment) {
  TerminalTraits traits;
  const std::string term = environment("TERM");
  traits.dumb = term.empty() || term == "dumb";
  traits.no_color = !environment("NO_COLOR").empty();
  for (const char* variable : {"LC_ALL", "LC_CTYPE", "LANG"}) {  // the first one that is set decides
    std::string locale = environment(variable);
    if (locale.empty()) continue;
    std::transform(locale.begin(), locale.end(), locale.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    traits.utf8 = locale.find("utf-8") != locale.npos || locale.find("utf8") != locale.npos;
    break;
  }
  return traits;
}

TerminalSize terminal_size(int fd) {
  winsize size{};
  if (::ioctl(fd, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0) return {};
  return {size.ws_col, size.ws_row};
}

}  // namespace airgap::cli
