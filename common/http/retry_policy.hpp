#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string_view>

namespace airgap::http {

/// Pure arithmetic of waiting (R15-R18).
struct RetryPolicy {
  std::size_t repeats = 5;                          ///< after the first attempt
  std::chrono::milliseconds base{500};              ///< doubled for each attempt
  std::chrono::milliseconds cap{60'000};            ///< of one backoff
  std::chrono::milliseconds longest_wait{900'000};  ///< of a Retry-After; a longer one ends the attempts

  /// The wait before repeat number `repeat` (from 0). `jitter` in [0, 1) picks from the whole range.
  std::chrono::milliseconds backoff(std::size_t repeat, double jitter) const;
};

/// 408, 429, 500, 502, 503, 504, 499 and 520-524: a later attempt may fare better.
bool is_retryable_status(int status) noexcept;

/// A Retry-After in seconds or as an HTTP-date; nothing when it is neither. A past date or negative is zero
/// (R16).
std::optional<std::chrono::milliseconds> parse_retry_after(std::string_view value,
                                                           std::chrono::system_clock::time_point now);

}  // namespace airgap::http
