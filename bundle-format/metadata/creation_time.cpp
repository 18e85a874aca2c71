#include "bundle-format/metadata/creation_time.hpp"

#include <fmt/chrono.h>

#include <charconv>
#include <chrono>
#include <cstdlib>
#include <string_view>

#include "common/diag/error.hpp"
#include "common/text/escape.hpp"

namespace airgap::bundle {
namespace {

constexpr std::time_t k_latest = 8583494399;  // the end of the year 2241 (SPEC.md, "created")

std::time_t parse_epoch(std::string_view text) {
  std::time_t seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error != std::errc{} || end != text.data() + text.size() || seconds < 0 || seconds > k_latest) {
    throw diag::UsageError(
        fmt::format("SOURCE_DATE_EPOCH is '{}', and not a number of seconds since 1970, up to {}",
                    text::escape(text), k_latest),
        "unset it, or set it to such a number");
  }
  return seconds;
}

std::string text_of(std::time_t seconds) {
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(seconds));
}

std::time_t now() {
  const auto clock = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  const std::time_t seconds = std::chrono::system_clock::to_time_t(clock);
  if (seconds < 0 || seconds > k_latest) {
    throw diag::UsageError(
        fmt::format("the clock of this machine says {}, and a bundle is made between {} and {}",
                    text_of(seconds), text_of(0), text_of(k_latest)),
        "set the clock, or SOURCE_DATE_EPOCH to the seconds since 1970");
  }
  return seconds;
}

}  // namespace

CreationTime creation_time() {
  const char* epoch = std::getenv("SOURCE_DATE_EPOCH");
  return {text_of(epoch != nullptr ? parse_epoch(epoch) : now()), epoch != nullptr};
}

std::string created_text(std::uint64_t seconds) {
  return text_of(static_cast<std::time_t>(seconds));
}

}  // namespace airgap::bundle
