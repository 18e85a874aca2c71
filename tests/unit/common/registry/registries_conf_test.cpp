#include "common/registry/registries_conf.hpp"

#include "common/registry/registries_conf_files.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/unit/common/registry/registry_fixture.hpp"

namespace airgap::registry {
namespace {

using test::Warnings;
using Use = MirrorRule::Use;

RegistriesConf parse(const std::string& text) {
  return parse_registries_conf(text, "r.conf");
}

TEST_CASE("the tables of version 2 become rules") {
  const Warnings warnings;
  const RegistriesConf conf = parse(
      "unqualified-search-registries = ['docker.io']\n"
      "short-name-mode = 'enforcing'\n"
      "credential-helpers = ['containers-auth.json', 'pass']\n"
      "[[registry]]\n"
      "prefix = 'example.com/foo/'\n"
      "location = 'internal.example/bar/'\n"
      "insecure = true\n"
      "[[registry.mirror]]\n"
      "location = 'mirror.example:5000/foo'\n"
      "pull-from-mirror = 'digest-only'\n"
      "[[registry.mirror]]\n"
      "location = 'second.example'\n"
      "insecure = true\n"
      "[[registry]]\n"
      "location = 'plain.example'\n"
      "blocked = true\n"
      "mirror-by-digest-only = true\n"
      "[[registry.mirror]]\n"
      "location = 'third.example'\n"
      "[[registry]]\n"
      "prefix = '*.example.org'\n"
      "[aliases]\n"
      "fedora = 'registry.fedoraproject.org/fedora'\n"
      "'team/app' = 'docker.io/app'\n");
  const std::vector<RegistryRule> rules{
      {"example.com/foo",
       "internal.example/bar",
       true,
       false,
       {{"mirror.example:5000/foo", false, Use::digest_only}, {"second.example", true, Use::all}},
       "r.conf:4:1"},
      {"plain.example",
       "plain.example",
       false,
       true,
       {{"third.example", false, Use::digest_only}},
       "r.conf:14:1"},
      {"*.example.org", "", false, false, {}, "r.conf:20:1"}};
  CHECK(conf.rules == rules);
  CHECK(conf.aliases.at("fedora") == Alias{"registry.fedoraproject.org/fedora", "r.conf"});
  CHECK(conf.aliases.at("team/app").name == "docker.io/library/app");
  CHECK(conf.credential_helpers == std::vector<std::string>{"containers-auth.json", "pass"});
  CHECK(warnings.lines().empty());
}

TEST_CASE("what has no effect is warned of") {
  struct Row {
    const char* text;
    const char* warning;
  };
  const Row rows[] = {
      {"colour = 1\n", "r.conf:1:10: unknown key 'colour', passed over"},
      {"[[registry]]\nlocation = 'a.example'\nmirrors = []\n",
       "r.conf:3:11: unknown key 'mirrors', passed over; did you mean 'mirror'?"},
      {"[[registry]]\nlocation = 'a.example'\ninsecur = true\n",
       "r.conf:3:11: unknown key 'insecur', passed over; did you mean 'insecure'?"},
      {"[[registri]]\nlocation = 'a.example'\n",
       "r.conf:1:1: unknown key 'registri', passed over; did you mean 'registry'?"},
      {"[[registry]]\nlocation = 'a.example'\n[[registry.mirror]]\nlocation = 'b.example'\nblocked = true\n",
       "r.conf:5:11: unknown key 'blocked', passed over"},
      {"[[registry]]\nprefix = 'a.example/app:1'\nlocation = 'a.example'\n",
       "r.conf:2:10: the prefix 'a.example/app:1' ends in a tag or digest and has no effect, as in podman"},
      {"[[registry]]\nlocation = 'a.example'\n[[registry]]\nlocation = 'a.example'\nblocked = true\n",
       "r.conf:3:1: the prefix a.example has a table already, at r.conf:1:1, and that one counts"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    const Warnings warnings;
    for (const RegistryRule& rule : parse(row.text).rules) CHECK(!rule.blocked);
    CHECK(warnings.lines() == std::vector<std::string>{row.warning});
  }
}

TEST_CASE("what cannot be meant is refused with its place") {
  const std::string registry = "[[registry]]\nlocation = 'a.example'\n";
  const std::string mirror = registry + "[[registry.mirror]]\n";
  const std::pair<std::string, const char*> rows[] = {
      {"[[registry]\n", "r.conf:1:"},
      {"[registries.search]\nregistries = ['docker.io']\n",
       "r.conf:1:1: this is the format of version 1, which is not read"},
      {"registry = 1\n", "r.conf:1:12: expected a list, found a number or a time"},
      {"[registry]\nlocation = 'a.example'\n", "r.conf:1:1: expected a list, found a table"},
      {"[[registry]]\ninsecure = true\n", "r.conf:1:1: a registry needs a location"},
      {"[[registry]]\nprefix = 'a.example'\n", "r.conf:1:1: a registry needs a location"},
      {"[[registry]]\nlocation = 'https://a.example'\n", "r.conf:2:12: bad location 'https://a.example'"},
      {"[[registry]]\nlocation = 'a.example/UPPER'\n", "r.conf:2:12: bad location 'a.example/UPPER'"},
      {"[[registry]]\nlocation = 'a example'\n", "r.conf:2:12: bad location 'a example'"},
      {"[[registry]]\nprefix = '*.a.example/app'\n", "r.conf:2:10: bad prefix '*.a.example/app'"},
      {"[[registry]]\nprefix = 'a.*.example'\nlocation = 'b.example'\n",
       "r.conf:2:10: bad prefix 'a.*.example'"},
      {registry + "insecure = 'true'\n", "r.conf:3:12: expected true or false, found text"},
      {registry + "blocked = 1\n", "r.conf:3:11: expected true or false, found a number or a time"},
      {registry + "pull-from-mirror = 'all'\n",
       "r.conf:3:20: pull-from-mirror belongs into [[registry.mirror]]"},
      {mirror, "r.conf:3:1: a mirror needs a location"},
      {mirror + "location = 'b.example/'\npull-from-mirror = 'some'\n",
       "r.conf:5:20: bad pull-from-mirror 'some'"},
      {registry + "mirror-by-digest-only = true\n[[registry.mirror]]\nlocation = 'b.example'\n"
                  "pull-from-mirror = 'all'\n",
       "r.conf:6:20: pull-from-mirror and mirror-by-digest-only exclude each other"},
      {"[aliases]\n'a.example/app' = 'b.example/app'\n",
       "r.conf:2:19: bad short name 'a.example/app': it names a"},
      {"[aliases]\n'app:1' = 'b.example/app'\n", "r.conf:2:11: bad short name 'app:1': it has a tag"},
      {"[aliases]\napp = 'b.example/app:1'\n",
       "r.conf:2:7: bad name 'b.example/app:1' for the short name app: it"},
      {"[aliases]\napp = 'team/app'\n",
       "r.conf:2:7: bad name 'team/app' for the short name app: it names no"},
      {"credential-helpers = 'pass'\n", "r.conf:1:22: expected a list, found text"},
  };
  for (const auto& [text, message] : rows) {
    CAPTURE(text);
    CHECK_THROWS_WITH_AS(parse(text), doctest::Contains(message), diag::UsageError);
  }
}

TEST_CASE("a short name is replaced, its tag and digest stay") {
  const RegistriesConf conf = parse("[aliases]\napp = 'quay.io/org/app'\n'team/x' = 'b.example/x'\n");
  const std::pair<const char*, const char*> rows[] = {
      {"app", "quay.io/org/app"},
      {"app:1", "quay.io/org/app:1"},
      {"app@sha256:0", "quay.io/org/app@sha256:0"},
      {"team/x:2", "b.example/x:2"},
      {"app2", "app2"},
      {"library/app", "library/app"},
      {"docker.io/app", "docker.io/app"},
      {"localhost/app", "localhost/app"},
      {"", ""},
  };
  for (const auto& [text, expected] : rows) CHECK(conf.expanded(text) == expected);
}

struct Places {
  test::TempDir dir;
  ConfPlaces places{.user = dir.path("user"),
                    .system = dir.path("etc"),
                    .vendor = dir.path("usr"),
                    .recorded_aliases = dir.path("cache.conf")};

  void put(const std::string& name, const std::string& text) const { dir.write(name, text); }
  // A file in which `who` is the location of shared.example and of an own name.
  void put_rules(const std::string& name, const std::string& who) {
    put(name, "[[registry]]\nprefix = 'shared.example'\nlocation = '" + who +
                  ".example'\n[[registry]]\nlocation = '" + who + ".example'\n");
  }
  std::string shared() const {
    for (const RegistryRule& rule : load_registries_conf(places).rules) {
      if (rule.prefix == "shared.example") return rule.location;
    }
    return "nothing";
  }
};

TEST_CASE("later files replace earlier ones, prefix by prefix") {
  Places f;
  CHECK(f.shared() == "nothing");
  f.put_rules("usr/registries.conf", "vendor");
  CHECK(f.shared() == "vendor.example");
  f.put_rules("etc/registries.conf", "main");
  CHECK(f.shared() == "main.example");
  f.put_rules("etc/registries.conf.d/10-b.conf", "second");
  f.put_rules("etc/registries.conf.d/10-a.conf", "first");
  f.put_rules("etc/registries.conf.d/99.conf.bak", "backup");
  f.put_rules("etc/registries.conf.d/99.conf/x.conf", "deeper");
  CHECK(f.shared() == "second.example");
  CHECK(load_registries_conf(f.places).rules.size() == 4);  // shared, main, first, second
  f.put_rules("user/registries.conf.d/a.conf", "mine");
  CHECK(f.shared() == "mine.example");
  f.put_rules("user/registries.conf", "home");
  CHECK(f.shared() == "mine.example");
  CHECK(load_registries_conf(f.places).rules.size() == 3);  // shared, home, mine: nothing of the system's
  f.put_rules("last.conf", "last");
  f.places.last = f.dir.path("last.conf");
  CHECK(f.shared() == "last.example");
  f.put_rules("only.conf", "only");
  f.places.only = f.dir.path("only.conf");
  f.places.last.clear();
  CHECK(f.shared() == "only.example");
  CHECK(load_registries_conf(f.places).rules.size() == 2);
}

TEST_CASE("recorded aliases come first, and an empty one erases") {
  Places f;
  f.put("etc/registries.conf", "[aliases]\na = 'x.example/a'\nb = 'x.example/b'\nc = 'x.example/c'\n");
  f.put("etc/registries.conf.d/1.conf", "[aliases]\nb = 'y.example/b'\nc = ''\n");
  f.put("cache.conf", "[aliases]\na = 'z.example/a'\n");
  const RegistriesConf conf = load_registries_conf(f.places);
  CHECK(conf.expanded("a") == "z.example/a");
  CHECK(conf.expanded("b") == "y.example/b");
  CHECK(conf.expanded("c") == "c");
}

TEST_CASE("a file that cannot be read is a usage error, with the way out") {
  Places f;
  f.put("etc/registries.conf.d/1.conf", "x");
  const auto broken = test::error_of([&] { return load_registries_conf(f.places).rules.size(); });
  CHECK(broken.kind() == diag::ErrorKind::usage);
  CHECK(broken.message().find("etc/registries.conf.d/1.conf:1:") != std::string::npos);
  CHECK(broken.hint().find("--registries-conf none") != std::string::npos);
  f.places.only = f.dir.path("absent.conf");
  const auto absent = test::error_of([&] { return load_registries_conf(f.places).rules.size(); });
  CHECK(absent.kind() == diag::ErrorKind::usage);
  CHECK(absent.message().find("absent.conf") != std::string::npos);
}

}  // namespace
}  // namespace airgap::registry
