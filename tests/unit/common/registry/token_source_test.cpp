#include "common/registry/token_source.hpp"

#include <atomic>
#include <thread>

#include "tests/unit/common/registry/registry_fixture.hpp"

namespace airgap::registry {
namespace {

const Challenger k_challenger{"reg.example", http::Url::parse("https://reg.example/").origin(), false};

TEST_CASE("threads that want one token share one request, and a rejected token is replaced once") {
  test::FakeHttpClient http;
  test::FakeClock clock;
  TokenSource tokens(http, clock, origin_lookup({}));
  http.next("GET https://reg.example/t", {.body = R"({"token":"A"})"});
  http.next("GET https://reg.example/t", {.body = R"({"token":"B"})"});
  const TokenRequest wanted{"https://reg.example/t", {}, {}, {}};
  const auto all_get = [&](std::string_view rejected, const std::string& expected) {
    std::atomic<int> right = 0;
    {
      std::vector<std::jthread> threads;
      for (int i = 0; i < 8; ++i) {
        threads.emplace_back(
            [&] { right += tokens.token(wanted, k_challenger, rejected) == expected ? 1 : 0; });
      }
    }
    return right == 8;
  };
  CHECK(all_get({}, "A"));
  CHECK(http.lines().size() == 1);
  CHECK(all_get("A", "B"));
  CHECK(http.lines().size() == 2);
}

TEST_CASE("tokens are kept apart by realm, service, scope and user") {
  test::FakeHttpClient http;
  test::FakeClock clock;
  TokenSource tokens(http, clock, origin_lookup({}));
  const std::vector<std::pair<TokenRequest, std::string>> all{
      {{"https://reg.example/t", "", {}, {}}, "GET https://reg.example/t"},
      {{"https://reg.example/u", "", {}, {}}, "GET https://reg.example/u"},
      {{"https://reg.example/t", "s", {}, {}}, "GET https://reg.example/t?service=s"},
      {{"https://reg.example/t", "", {"x"}, {}}, "GET https://reg.example/t?scope=x"},
      {{"https://reg.example/t?a=1", "", {"x", "y"}, {}}, "GET https://reg.example/t?a=1&scope=x&scope=y"},
      {{"https://reg.example/t", "", {}, Credential{"me", "p", ""}}, "GET https://reg.example/t?account=me"},
  };
  for (const auto& [wanted, line] : all)
    http.next(line, {.body = R"({"token":")" + std::to_string(line.size()) + "\"}"});
  for (int repeat = 0; repeat < 2; ++repeat) {
    for (const auto& [wanted, line] : all) {
      CAPTURE(line);
      CHECK(tokens.token(wanted, k_challenger) == std::to_string(line.size()));
    }
  }
  CHECK(http.lines().size() == all.size());
}

}  // namespace
}  // namespace airgap::registry
