#include "common/text/hex.hpp"

namespace airgap::text {
namespace {

constexpr std::string_view k_digits = "0123456789abcdef";

int value_of(char digit) noexcept {
  const std::size_t position = k_digits.find(digit);
  return position == std::string_view::npos ? -1 : static_cast<int>(position);
}

}  // namespace

std::string to_hex(std::span<const std::byte> bytes) {
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const std::byte byte : bytes) {
    text += k_digits[std::to_integer<unsigned>(byte >> 4)];
    text += k_digits[std::to_integer<unsigned>(byte & std::byte{15})];
  }
  return text;
}

bool from_lower_hex(std::string_view digits, std::span<std::byte> out) noexcept {
  if (digits.size() != out.size() * 2) return false;
  for (std::size_t i = 0; i < out.size(); ++i) {
    const int high = value_of(digits[2 * i]);
    const int low = value_of(digits[2 * i + 1]);
    if (high < 0 || low < 0) return false;
    out[i] = static_cast<std::byte>(high * 16 + low);
  }
  return true;
}

}  // namespace airgap::text
