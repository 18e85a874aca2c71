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

}  // namespace

CreationTime creation_time() {
  const char* epoch = std::getenv("SOURCE_DATE_EPOCH");
  const std::time_t seconds = epoch != nullptr
                                  ? parse_epoch(epoch)
                                  : std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  return {fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(seconds)), epoch != nullptr};
}

}  // namespace airgap::bundle
