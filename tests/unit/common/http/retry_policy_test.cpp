#include "common/http/retry_policy.hpp"

#include <doctest/doctest.h>

#include <vector>

namespace airgap::http {

using std::chrono::milliseconds;

TEST_CASE("backoff doubles up to its cap and jitter takes from the whole of it") {
  const RetryPolicy policy;
  CHECK(policy.backoff(0, 0.0) == milliseconds(0));
  CHECK(policy.backoff(0, 0.5) == milliseconds(250));
  CHECK(policy.backoff(1, 0.5) == milliseconds(500));
  CHECK(policy.backoff(4, 0.5) == milliseconds(4000));
  CHECK(policy.backoff(50, 0.5) == milliseconds(30'000));
  CHECK(policy.backoff(100'000, 0.999) < milliseconds(60'000));
}

TEST_CASE("only statuses that a later attempt may heal are tried again") {
  for (const int status : {408, 429, 499, 500, 502, 503, 504, 520, 521, 522, 523, 524})
    CHECK(is_retryable_status(status));
  for (const int status : {200, 206, 301, 400, 401, 403, 404, 405, 409, 413, 415, 416, 501, 505, 519, 525}) {
    CHECK_FALSE(is_retryable_status(status));
  }
}

TEST_CASE("Retry-After is seconds or an HTTP-date, clamped at zero, else nothing") {
  using namespace std::chrono_literals;
  const auto now = std::chrono::sys_days(std::chrono::year{2026} / 1 / 1);
  struct Row {
    const char* value;
    std::optional<milliseconds> wait;
  };
  const std::vector<Row> table{
      {"7", 7s},
      {" 7 ", 7s},
      {"0", 0s},
      {"-5", 0s},
      {"Thu, 01 Jan 2026 00:01:00 GMT", 60s},
      {"Thursday, 01-Jan-26 00:01:00 GMT", 60s},
      {"Thu Jan  1 00:01:00 2026", 60s},
      {"Wed, 31 Dec 2025 23:59:00 GMT", 0s},
      {"", std::nullopt},
      {"soon", std::nullopt},
      {"1.5", std::nullopt},
      {"7 seconds", std::nullopt},
      {"Thu, 99 Foo 2026 00:00:00 GMT", std::nullopt},
      {"::::", std::nullopt},
  };
  for (const Row& row : table) {
    CAPTURE(row.value);
    CHECK(parse_retry_after(row.value, now) == row.wait);
  }
  CHECK(parse_retry_after("999999999999", now) > RetryPolicy().longest_wait);
  CHECK(parse_retry_after("99999999999999999999999", now) > RetryPolicy().longest_wait);
  CHECK(parse_retry_after("Fri, 31 Dec 9999 23:59:59 GMT", now) > RetryPolicy().longest_wait);
}

}  // namespace airgap::http
