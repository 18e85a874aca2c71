#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace airgap::image {

/// A name from a list and where it stands, for messages.
struct ListedName {
  std::string text;
  std::string place;  ///< "images.txt:3:1"
};

/// A plain list: a name a line; blank lines, `#` comments, CRLF and a leading BOM are fine. Throws UsageError
/// with file:line:column for NUL, control characters, invalid UTF-8, or two names on a line (R146, R148).
std::vector<ListedName> parse_image_list(std::string_view text, const std::string& file);

}  // namespace airgap::image
