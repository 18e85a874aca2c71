#include "common/http/retry_policy.hpp"

#include <curl/curl.h>

#include <algorithm>
#include <charconv>
#include <string>

namespace airgap::http {
namespace {

constexpr std::chrono::hours k_absurd{24 * 365 * 100};  // more than this makes no difference to anybody

bool all_digits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

std::chrono::milliseconds clamped(std::chrono::seconds wait) {
  return std::clamp<std::chrono::milliseconds>(std::min<std::chrono::seconds>(wait, k_absurd),
                                               std::chrono::milliseconds{0}, k_absurd);
}

}  // namespace

std::chrono::milliseconds RetryPolicy::backoff(std::size_t repeat, double jitter) const {
  auto ceiling = base;
  for (std::size_t i = 0; i < repeat && ceiling < cap; ++i) ceiling *= 2;
  const double wait = static_cast<double>(std::min(ceiling, cap).count()) * std::clamp(jitter, 0.0, 1.0);
  return std::chrono::milliseconds(static_cast<std::chrono::milliseconds::rep>(wait));
}

bool is_retryable_status(int status) noexcept {
  switch (status) {
    case 408:
    case 429:
    case 499:
    case 500:
    case 502:
    case 503:
    case 504:
      return true;
    default:
      return status >= 520 && status <= 524;
  }
}

std::optional<std::chrono::milliseconds> parse_retry_after(std::string_view value,
                                                           std::chrono::system_clock::time_point now) {
  const auto begin = std::min(value.find_first_not_of(" \t"), value.size());
  value.remove_prefix(begin);
  value = value.substr(0, value.find_last_not_of(" \t") + 1);
  const bool negative = value.starts_with('-');
  if (const auto digits = value.substr(negative ? 1 : 0); all_digits(digits)) {
    if (negative) return std::chrono::milliseconds{0};
    std::int64_t seconds = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), seconds);
    return error == std::errc() ? clamped(std::chrono::seconds(seconds)) : k_absurd;
  }
  if (value.find(':') == std::string_view::npos || value.size() > 64) return std::nullopt;  // no HTTP-date
  const std::time_t date = curl_getdate(std::string(value).c_str(), nullptr);
  if (date == -1) return std::nullopt;
  // In seconds throughout: the system clock's own unit overflows in 2262.
  return clamped(std::chrono::seconds(date) -
                 std::chrono::floor<std::chrono::seconds>(now.time_since_epoch()));
}

}  // namespace airgap::http
