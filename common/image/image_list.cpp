#include "common/image/image_list.hpp"

#include <fmt/format.h>

#include "common/diag/error.hpp"
#include "common/text/escape.hpp"

namespace airgap::image {
namespace {

constexpr std::string_view k_blank = " \t\r";

// The name on one line, or nothing. `#` begins a comment at the start of a line or after a blank.
ListedName name_on(std::string_view line, const std::string& file, std::size_t number) {
  const auto place = [&](std::size_t column) { return fmt::format("{}:{}:{}", file, number, column + 1); };
  for (std::size_t i = 0; i < line.size(); ++i) {
    const auto byte = static_cast<unsigned char>(line[i]);
    if (line[i] == '#' && (i == 0 || k_blank.find(line[i - 1]) != k_blank.npos)) {
      line = line.substr(0, i);
    } else if ((byte < 0x20 && k_blank.find(line[i]) == k_blank.npos) || byte >= 0x7f) {
      throw diag::UsageError(fmt::format("{}: byte {:#04x} cannot stand in an image name", place(i), byte),
                             "write the list as plain ASCII text, a name a line");
    }
  }
  const std::size_t first = line.find_first_not_of(k_blank);
  if (first == line.npos) return {};
  line = line.substr(first, line.find_last_not_of(k_blank) - first + 1);
  if (const std::size_t gap = line.find_first_of(k_blank); gap != line.npos) {
    throw diag::UsageError(
        fmt::format("{}: more than one name on a line: '{}'", place(first + gap), text::escape(line)),
        "write one image name a line; '#' begins a comment");
  }
  return {std::string(line), place(first)};
}

}  // namespace

std::vector<ListedName> parse_image_list(std::string_view text, const std::string& file) {
  constexpr std::string_view k_bom = "\xef\xbb\xbf";
  if (text.starts_with(k_bom)) text.remove_prefix(k_bom.size());
  std::vector<ListedName> names;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::size_t end = text.find('\n');
    ListedName name = name_on(text.substr(0, end), file, number);
    if (!name.text.empty()) names.push_back(std::move(name));
    text = end == text.npos ? std::string_view{} : text.substr(end + 1);
  }
  return names;
}

}  // namespace airgap::image
