#include "common/registry/pull_routes.hpp"

#include <doctest/doctest.h>

#include "common/diag/error.hpp"

namespace airgap::registry {
namespace {

using Use = MirrorRule::Use;

Repository named(const std::string& text) {
  const std::size_t slash = text.find('/');
  return {text.substr(0, slash), text.substr(slash + 1)};
}

// "mirror.example/hub/app? location.example/app": in order, '!' behind an insecure one, '?' behind a mirror.
std::string shown(const Route& route) {
  std::string text;
  for (const Endpoint& endpoint : route) {
    text += (text.empty() ? "" : " ") + endpoint.repository.str();
    text += std::string(endpoint.insecure ? "!" : "") + (endpoint.mirror ? "?" : "");
  }
  return text;
}

const PullRoutes k_routes({
    {.prefix = "docker.io",
     .location = "docker.io",
     .mirrors = {{"mirror.example:5000/hub", true}, {"second.example"}}},
    {.prefix = "docker.io/library/nginx", .location = "web.example/nginx"},
    {.prefix = "quay.io/org", .location = "inside.example/quay", .insecure = true},
    {.prefix = "*.example.org", .mirrors = {{"mirror.example/org"}}},
    {.prefix = "*.dev.example.org", .insecure = true},
    {.prefix = "moved.example", .location = "docker.io"},
    {.prefix = "by.example",
     .location = "by.example",
     .mirrors = {{"tag.example", false, Use::tag_only}, {"digest.example", false, Use::digest_only}}},
    {.prefix = "closed.example",
     .location = "closed.example",
     .blocked = true,
     .mirrors = {{"open.example/closed"}, {"shut.example"}}},
    {.prefix = "shut.example", .location = "shut.example", .blocked = true, .place = "r.conf:9:1"},
    {.prefix = "shut.example/but", .location = "shut.example/but"},
    {.prefix = "renamed.example", .location = "shut.example", .place = "r.conf:12:1"},
});

TEST_CASE("a name is read from the mirrors in order, then from the location") {
  struct Row {
    const char* name;
    const char* by_tag;
    const char* by_digest;
  };
  const Row rows[] = {
      {"other.example/app", "other.example/app", nullptr},
      // the longest prefix decides alone, and ends at a '/'
      {"docker.io/library/app",
       "mirror.example:5000/hub/library/app!? second.example/library/app? docker.io/library/app", nullptr},
      {"docker.io/library/nginx", "web.example/nginx", nullptr},
      {"docker.io/library/nginx/more", "web.example/nginx/more", nullptr},
      {"docker.io/library/nginx2",
       "mirror.example:5000/hub/library/nginx2!? second.example/library/nginx2? "
       "docker.io/library/nginx2",
       nullptr},
      {"docker.io:443/library/app", "docker.io:443/library/app", nullptr},
      {"quay.io/org/app", "inside.example/quay/app!", nullptr},
      {"quay.io/organ/app", "quay.io/organ/app", nullptr},
      // wildcards
      {"a.example.org/app", "mirror.example/org/app? a.example.org/app", nullptr},
      {"a.b.example.org:5000/team/app", "mirror.example/org/team/app? a.b.example.org:5000/team/app",
       nullptr},
      {"a.dev.example.org/app", "a.dev.example.org/app!", nullptr},
      {"example.org/app", "example.org/app", nullptr},
      {"badexample.org/app", "badexample.org/app", nullptr},
      // one component on docker.io is in library/
      {"moved.example/nginx", "docker.io/library/nginx", nullptr},
      {"by.example/app", "tag.example/app? by.example/app", "digest.example/app? by.example/app"},
      // a blocked location leaves its mirrors, but for those that are blocked themselves
      {"closed.example/app", "open.example/closed/app?", nullptr},
      {"shut.example/but/app", "shut.example/but/app", nullptr},
      {"closed.example/but/app", "open.example/closed/but/app? shut.example/but/app?", nullptr},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    CHECK(shown(k_routes.to_pull(named(row.name), PullBy::tag)) == row.by_tag);
    CHECK(shown(k_routes.to_pull(named(row.name), PullBy::digest)) ==
          (row.by_digest == nullptr ? row.by_tag : row.by_digest));
  }
}

TEST_CASE("all tags are known to the location, and mirrors only help out") {
  CHECK(shown(k_routes.to_list_tags(named("quay.io/org/app"))) == "inside.example/quay/app!");
  CHECK(shown(k_routes.to_list_tags(named("by.example/app"))) == "by.example/app");
  CHECK(shown(k_routes.to_list_tags(named("closed.example/app"))) == "open.example/closed/app?");
  CHECK(shown(k_routes.to_find_tags(named("by.example/app"))) == "by.example/app tag.example/app?");
  CHECK(shown(k_routes.to_find_tags(named("closed.example/app"))) == "open.example/closed/app?");
}

TEST_CASE("pushing knows neither mirrors nor locations") {
  CHECK(shown({k_routes.to_push(named("docker.io/library/app"))}) == "docker.io/library/app");
  CHECK(shown({k_routes.to_push(named("quay.io/org/app"))}) == "quay.io/org/app!");
  CHECK(shown({PullRoutes().to_push(named("quay.io/org/app"))}) == "quay.io/org/app");
}

TEST_CASE("what is blocked is a usage error that names the rule") {
  const Repository shut = named("shut.example/app");
  const char* why = "shut.example/app is blocked by r.conf:9:1";
  CHECK_THROWS_WITH_AS(k_routes.to_pull(shut, PullBy::tag), why, diag::UsageError);
  CHECK_THROWS_WITH_AS(k_routes.to_list_tags(shut), why, diag::UsageError);
  CHECK_THROWS_WITH_AS(k_routes.to_find_tags(shut), why, diag::UsageError);
  CHECK_THROWS_WITH_AS(k_routes.to_push(shut), why, diag::UsageError);
  CHECK_THROWS_WITH_AS(k_routes.to_push(named("closed.example/app")), doctest::Contains("blocked by"),
                       diag::UsageError);
  CHECK_THROWS_WITH_AS(k_routes.to_pull(named("renamed.example/app"), PullBy::tag),
                       "renamed.example/app is blocked by r.conf:9:1", diag::UsageError);
}

TEST_CASE("a location that makes no name is a usage error that names the rule") {
  const PullRoutes routes({{.prefix = "a.example/app", .location = "b.example", .place = "r.conf:3:1"}});
  CHECK_THROWS_WITH_AS(
      routes.to_pull(named("a.example/app"), PullBy::tag),
      doctest::Contains("r.conf:3:1: with the location b.example, a.example/app becomes no name"),
      diag::UsageError);
}

}  // namespace
}  // namespace airgap::registry
