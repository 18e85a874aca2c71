#include "common/text/escape.hpp"

#include <array>

namespace airgap::text {
namespace {

unsigned char at(std::string_view text, std::size_t i) {
  return static_cast<unsigned char>(text[i]);
}

// The length in bytes of the printable UTF-8 sequence at `i`, or 0 when there is none.
std::size_t printable_length(std::string_view text, std::size_t i) {
  const unsigned char lead = at(text, i);
  if (lead >= 0x20 && lead < 0x7f) return 1;
  const std::size_t length = lead >= 0xc2 && lead <= 0xdf ? 2 : lead >= 0xe0 && lead <= 0xef ? 3 : 0;
  if (length == 0 || i + length > text.size()) return 0;  // four-byte sequences never occur in names: escaped
  unsigned code = lead & (length == 2 ? 0x1fU : 0x0fU);
  for (std::size_t k = 1; k < length; ++k) {
    if ((at(text, i + k) & 0xc0) != 0x80) return 0;
    code = code << 6 | (at(text, i + k) & 0x3fU);
  }
  const bool overlong_or_surrogate = (length == 3 && code < 0x800) || (code >= 0xd800 && code <= 0xdfff);
  const bool control = code < 0xa0 || (code >= 0x200b && code <= 0x200f) ||
                       (code >= 0x2028 && code <= 0x202e) || (code >= 0x2060 && code <= 0x206f) ||
                       code == 0xfeff;
  return overlong_or_surrogate || control ? 0 : length;
}

}  // namespace

std::string escape(std::string_view foreign, std::size_t limit) {
  constexpr std::string_view k_digits = "0123456789abcdef";
  std::string safe;
  std::size_t i = 0;
  while (i < foreign.size()) {
    if (safe.size() >= limit) return safe + "...";
    if (const std::size_t length = printable_length(foreign, i)) {
      safe.append(foreign.substr(i, length));
      i += length;
    } else {
      const unsigned char byte = at(foreign, i);
      safe += "\\x";
      safe += k_digits[byte >> 4];
      safe += k_digits[byte & 15];
      ++i;
    }
  }
  return safe;
}

}  // namespace airgap::text
