#include "common/http/retrying_client.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "tests/support/fake_clock.hpp"
#include "tests/support/fake_http_client.hpp"

namespace airgap::http {
namespace {

using test::FakeAnswer;
using test::FakeClock;
using test::FakeHttpClient;
using namespace std::chrono_literals;

constexpr const char* k_line = "GET https://r.example/v2/";

struct Fixture {
  FakeHttpClient inner;
  FakeClock clock;
  std::vector<std::string> told;
  std::stop_source stop;
  RetryPolicy policy;

  std::unique_ptr<RetryingClient> client() {
    return std::make_unique<RetryingClient>(
        inner, clock, policy, stop.get_token(),
        [this](const Url& url, std::string_view why, std::chrono::milliseconds) {
          told.push_back(url.origin().host + ": " + std::string(why));
        });
  }
};

Request get(const char* url = "https://r.example/v2/") {
  return {.url = Url::parse(url)};
}

FakeAnswer broken(bool retryable = true) {
  return {.error = [retryable] { throw TransferError("connection reset", retryable); }};
}

}  // namespace

TEST_CASE("a good answer comes at once") {
  Fixture f;
  f.inner.next(k_line, {});
  CHECK(f.client()->send(get())->status() == 200);
  CHECK(f.clock.sleeps().empty());
}

TEST_CASE("answers and broken transfers that may heal are tried again, and each wait is told") {
  Fixture f;
  f.inner.next(k_line, {.status = 503}).next(k_line, broken()).next(k_line, {.status = 429}).next(k_line, {});
  CHECK(f.client()->send(get())->status() == 200);
  CHECK(f.told == std::vector<std::string>{"r.example: 503 Service Unavailable",
                                           "r.example: connection reset",
                                           "r.example: 429 Too Many Requests"});
  const auto sleeps = f.clock.sleeps();
  REQUIRE(sleeps.size() == 3);
  CHECK(sleeps[0] < 500ms);
  CHECK(sleeps[1] < 1000ms);
  CHECK(sleeps[2] < 2000ms);
}

TEST_CASE("the last answer or failure is handed on when the attempts are used up") {
  Fixture f;
  f.policy.repeats = 2;
  f.inner.always(k_line, {.status = 503});
  CHECK(f.client()->send(get())->status() == 503);
  CHECK(f.inner.requests().size() == 3);
  Fixture g;
  g.policy.repeats = 2;
  g.inner.always(k_line, broken());
  CHECK_THROWS_WITH_AS(g.client()->send(get()), "connection reset", TransferError);
  CHECK(g.inner.requests().size() == 3);
}

TEST_CASE("what a second attempt cannot heal is not tried again") {
  Fixture f;
  f.inner.next(k_line, broken(false));
  CHECK_THROWS_AS(f.client()->send(get()), TransferError);
  for (const int status : {400, 401, 403, 404, 405, 409, 413, 416}) {
    f.inner.next(k_line, {.status = status});
    CHECK(f.client()->send(get())->status() == status);
  }
  CHECK(f.clock.sleeps().empty());
}

TEST_CASE("a request that must not be repeated is sent once") {
  Fixture f;
  f.inner.always(k_line, {.status = 503});
  Request request = get();
  request.repeatable = false;
  CHECK(f.client()->send(request)->status() == 503);
  CHECK(f.inner.requests().size() == 1);
}

TEST_CASE("a request may allow fewer repeats than the policy, not more") {
  for (const auto& [most, sent] : std::vector<std::pair<std::size_t, std::size_t>>{{0, 1}, {1, 2}, {9, 6}}) {
    Fixture f;
    f.inner.always(k_line, broken());
    Request request = get();
    request.most_repeats = most;
    CHECK_THROWS_AS(f.client()->send(request), TransferError);
    CHECK(f.inner.requests().size() == sent);
  }
}

TEST_CASE("Retry-After is waited for, as seconds and as a date") {
  Fixture f;
  f.inner.next(k_line, {.status = 429, .headers = {{"Retry-After", "120"}}});
  f.inner.next(k_line, {.status = 503, .headers = {{"Retry-After", "Thu, 01 Jan 2026 00:05:00 GMT"}}});
  f.inner.next(k_line, {});
  CHECK(f.client()->send(get())->status() == 200);
  CHECK(f.clock.sleeps() == std::vector<task::Clock::Duration>{120s, 180s});
}

TEST_CASE("a Retry-After that is past, negative or garbage becomes a short wait") {
  for (const char* value : {"-1", "0", "Wed, 31 Dec 2025 00:00:00 GMT", "soon"}) {
    CAPTURE(value);
    Fixture f;
    f.inner.next(k_line, {.status = 429, .headers = {{"Retry-After", value}}}).next(k_line, {});
    CHECK(f.client()->send(get())->status() == 200);
    REQUIRE(f.clock.sleeps().size() == 1);
    CHECK(f.clock.sleeps()[0] < 500ms);
  }
}

TEST_CASE("a Retry-After beyond all patience ends the attempts") {
  for (const char* value : {"901", "99999999999999999999", "Fri, 31 Dec 9999 23:59:59 GMT"}) {
    CAPTURE(value);
    Fixture f;
    f.inner.next(k_line, {.status = 429, .headers = {{"Retry-After", value}}});
    CHECK(f.client()->send(get())->status() == 429);
    CHECK(f.clock.sleeps().empty());
  }
}

TEST_CASE("twenty failures in a row leave a host alone for the rest of the run, other hosts not") {
  Fixture f;
  f.policy.repeats = 3;
  f.inner.always(k_line, {.status = 502});
  f.inner.always("GET https://other.example/", {});
  const auto client = f.client();
  for (int i = 0; i < 5; ++i) CHECK(client->send(get())->status() == 502);
  CHECK_THROWS_WITH_AS(client->send(get()),
                       doctest::Contains("failed 20 times in a row, the last time: 502 Bad Gateway"),
                       TransferError);
  CHECK(f.inner.requests().size() == 20);
  CHECK(client->send(get("https://other.example/"))->status() == 200);
}

TEST_CASE("a success in between closes the row, and a quota is no failure") {
  Fixture f;
  f.policy.repeats = 0;
  const auto client = f.client();
  for (int i = 0; i < 60; ++i) {
    f.inner.next(k_line, {.status = i % 10 == 9 ? 404 : 500});
    CHECK_NOTHROW(client->send(get()));
  }
  for (int i = 0; i < 60; ++i) {
    f.inner.next(k_line, {.status = 429});
    CHECK(client->send(get())->status() == 429);
  }
}

TEST_CASE("all requests together draw on one budget of repeats") {
  Fixture f;
  f.policy.repeats = 1;
  f.inner.always(k_line, {.status = 429});
  const auto client = f.client();
  for (int i = 0; i < 500; ++i) client->send(get());
  CHECK(f.clock.sleeps().size() == 210);
}

TEST_CASE("a stop request ends the waiting") {
  Fixture f;
  f.inner.always(k_line, {.status = 503});
  f.stop.request_stop();
  CHECK_THROWS_AS(f.client()->send(get()), diag::Interrupted);
}

}  // namespace airgap::http
