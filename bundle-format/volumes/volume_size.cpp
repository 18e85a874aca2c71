#include "bundle-format/volumes/volume_size.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <string_view>

#include "common/diag/error.hpp"
#include "common/io/medium.hpp"
#include "common/text/escape.hpp"

namespace airgap::bundle {
namespace {

struct Unit {
  std::string_view name;
  std::uint64_t bytes;
};

constexpr std::array k_media{
    Unit{"fat32", io::k_repairable_fat_file},
    Unit{"dvd", 4'690'000'000},  // a DVD+R holds 4,700,372,992; the rest is the disc's file system
    Unit{"bd", 24'200'000'000},  // a BD-R with its usual spare area holds 24,220,008,448
};
constexpr std::array k_units{
    Unit{"", 1},
    Unit{"K", 1ULL << 10},
    Unit{"KiB", 1ULL << 10},
    Unit{"KB", 1'000},
    Unit{"M", 1ULL << 20},
    Unit{"MiB", 1ULL << 20},
    Unit{"MB", 1'000'000},
    Unit{"G", 1ULL << 30},
    Unit{"GiB", 1ULL << 30},
    Unit{"GB", 1'000'000'000},
    Unit{"T", 1ULL << 40},
    Unit{"TiB", 1ULL << 40},
    Unit{"TB", 1'000'000'000'000},
};

char lower(char letter) {
  return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
}

bool same_word(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, {}, lower, lower);
}

[[noreturn]] void refuse(const std::string& text, std::string hint) {
  throw diag::UsageError(fmt::format("--volume-size: '{}' is no size", text::escape(text)), std::move(hint));
}

}  // namespace

std::uint64_t parse_volume_size(const std::string& text) {
  for (const Unit& medium : k_media) {
    if (same_word(text, medium.name)) return medium.bytes;
  }
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const std::string_view unit(end, text.data() + text.size());
  for (const Unit& known : k_units) {
    if (error != std::errc() || unit != known.name || number == 0) continue;
    if (number <= std::numeric_limits<std::int64_t>::max() / known.bytes) return number * known.bytes;
  }
  for (const Unit& known : k_units) {
    if (error != std::errc() || number == 0 || unit == known.name || !same_word(unit, known.name)) continue;
    refuse(text, fmt::format("units have capital letters: {}{}", number, known.name));
  }
  if (error == std::errc() && (unit.starts_with('.') || unit.starts_with(',')))
    refuse(text, "whole numbers only: 1500MB, not 1.5GB");
  refuse(text, "for instance 4GiB (or 4G), 700MB, a number of bytes, fat32, dvd or bd");
}

}  // namespace airgap::bundle
