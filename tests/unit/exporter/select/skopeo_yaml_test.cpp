#include "exporter/select/skopeo_yaml.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "common/diag/error.hpp"
#include "tests/support/temp_dir.hpp"

using namespace airgap;
using exporter::looks_like_yaml;
using exporter::parse_skopeo_yaml;

namespace {

const std::string k_digest = "sha256:" + std::string(64, 'a');

std::vector<std::string> names(const exporter::SkopeoYaml& yaml) {
  std::vector<std::string> all;
  for (const auto& image : yaml.images) all.push_back(image.name.str());
  return all;
}

struct Refused {
  std::string text;
  const char* message;
  const char* hint = "";
};

void check_refused(const std::vector<Refused>& rows) {
  for (const Refused& row : rows) {
    CAPTURE(row.text);
    try {
      parse_skopeo_yaml(row.text, "f.yaml");
      FAIL_CHECK("not refused");
    } catch (const diag::UsageError& error) {
      CHECK_MESSAGE(error.message().find(row.message) != std::string::npos, error.message());
      CHECK_MESSAGE(error.hint().find(row.hint) != std::string::npos, error.hint());
    }
  }
}

}  // namespace

TEST_CASE("tags and digests become names, and numbers keep their text") {
  const auto yaml = parse_skopeo_yaml(
      "registry.example.com:\n"
      "  images:\n"
      "    team/app: [1.10, 0777, no, 'latest', " +
          k_digest + "]\n",
      "f.yaml");
  CHECK(names(yaml) ==
        std::vector<std::string>{"registry.example.com/team/app:1.10", "registry.example.com/team/app:0777",
                                 "registry.example.com/team/app:no", "registry.example.com/team/app:latest",
                                 "registry.example.com/team/app@" + k_digest});
  CHECK(yaml.repositories.empty());
  CHECK(yaml.settings.empty());
}

TEST_CASE("a key is a registry whether it has a dot or not") {
  for (const char* host : {"myreg", "localhost", "myreg:5000", "quay.io", "10.0.0.1:5000", "'[::1]:5000'"}) {
    CAPTURE(host);
    const auto yaml = parse_skopeo_yaml(std::string(host) + ": {images: {app: [1]}}", "f.yaml");
    std::string expected = host;
    if (expected.front() == '\'') expected = expected.substr(1, expected.size() - 2);
    CHECK(yaml.images.at(0).name.registry == expected);
    CHECK(yaml.images.at(0).name.repository == "app");
  }
}

TEST_CASE("official images of Docker Hub are completed, under both of its names") {
  for (const char* host : {"docker.io", "index.docker.io"}) {
    const auto yaml =
        parse_skopeo_yaml(std::string(host) + ": {images: {busybox: [1], org/app: [2]}}", "f.yaml");
    CHECK(names(yaml) == std::vector<std::string>{"docker.io/library/busybox:1", "docker.io/org/app:2"});
  }
}

TEST_CASE("an empty list, none, a pattern and a constraint choose among all tags") {
  const auto yaml = parse_skopeo_yaml(
      "quay.io:\n"
      "  images: {all: [], none: }\n"
      "  images-by-tag-regex: {match: '^1\\.'}\n"
      "  images-by-semver: {range: '>=1.2, <2', one: 1.10}\n",
      "f.yaml");
  REQUIRE(yaml.repositories.size() == 5);
  const auto takes = [&](std::size_t i, const char* tag) { return yaml.repositories[i].filter.takes(tag); };
  CHECK(yaml.repositories[0].repository.str() == "quay.io/all");
  CHECK(takes(0, "whatever"));
  CHECK(takes(1, "whatever"));
  CHECK(takes(2, "1.7"));
  CHECK_FALSE(takes(2, "2.1.7"));
  CHECK(yaml.repositories[2].place == "f.yaml:3:32");
  CHECK(takes(3, "v1.9"));
  CHECK_FALSE(takes(3, "2.0.0"));
  CHECK_FALSE(takes(3, "latest"));
  CHECK(takes(4, "1.10.3"));
  CHECK_FALSE(takes(4, "1.1.0"));
}

TEST_CASE("beyond skopeo: what is excluded, how many, for which platforms, and called what") {
  const auto yaml = parse_skopeo_yaml(
      "quay.io:\n"
      "  images: {all: [], some: [1, 2]}\n"
      "  images-by-tag-regex: {match: '^1'}\n"
      "  exclude: {all: ['-rc', nightly], match: beta$}\n"
      "  newest: {all: 3}\n"
      "  platforms: {some: [linux/amd64, linux/arm64/v8], 'some:2': all, 'match:1.5': 'linux/386'}\n"
      "  targets: {some: base/some, 'some:2': base/some:stable, all: everything}\n"
      "docker.io:\n"
      "  images: {busybox: [1]}\n"
      "  targets: {busybox: base/busybox}\n",
      "f.yaml");
  REQUIRE(yaml.repositories.size() == 2);
  const exporter::TagFilter& all = yaml.repositories[0].filter;
  CHECK(all.newest() == 3);
  CHECK(all.takes("1.2.3"));
  for (const char* tag : {"1.2-rc1", "1.2-nightly", "latest"}) CHECK_FALSE(all.takes(tag));
  const exporter::TagFilter& match = yaml.repositories[1].filter;
  CHECK_FALSE(match.newest());
  CHECK(match.takes("1-beta-2"));
  CHECK_FALSE(match.takes("1-beta"));
  const auto platforms = [&](const char* name) {
    const auto* filter = yaml.platforms.find(image::Reference::parse(name));
    return filter == nullptr ? std::string("none") : filter->str();
  };
  CHECK(platforms("quay.io/some:1") == "linux/amd64,linux/arm64");
  CHECK(platforms("quay.io/some:2") == "all");
  CHECK(platforms("quay.io/match:1.5") == "linux/386");
  CHECK(platforms("quay.io/match:1.6") == "none");
  CHECK(platforms("quay.io/all:1") == "none");
  CHECK(*yaml.targets.find(image::Reference::parse("quay.io/some:1")) == "base/some");
  CHECK(*yaml.targets.find(image::Reference::parse("quay.io/some:2")) == "base/some:stable");
  CHECK(*yaml.targets.find(image::Reference::parse("busybox:1")) == "base/busybox");
}

TEST_CASE("rules for what is not selected, or that cannot be meant, are refused where they stand") {
  const std::string section = "quay.io: {images: {org/app: [1, 2], all: []}, ";
  check_refused({
      {section + "platforms: {org/ap: all}}", "f.yaml:1:59: 'org/ap' is not among what quay.io is asked for",
       "did you mean 'org/app'?"},
      {section + "targets: {'org/app:3': x}}", "f.yaml:1:57: 'org/app:3' is not among", "'org/app:1'"},
      {section + "exclude: {web: x}}", "f.yaml:1:57: 'web' is not among", "there are: all, org/app"},
      {section + "platforms: {App: all}}", "f.yaml:1:59: bad image name 'quay.io/App'"},
      {section + "platforms: {'org/app@" + k_digest + "': all}}", "a digest has no rules of its own"},
      {section + "platforms: {org/app: linux}}", "f.yaml:1:68: bad platform 'linux'"},
      {section + "platforms: {org/app: [linux/amd64, x]}}", "f.yaml:1:82: bad platform 'x'"},
      {section + "platforms: {org/app: [all, linux/amd64]}}", "`all` stands alone"},
      {section + "platforms: {org/app: []}}", "f.yaml:1:68: there is nothing in its list"},
      {section + "platforms: {org/app: }}", "f.yaml:1:59: its value is missing"},
      {section + "platforms: {org/app: {a: b}}}", "f.yaml:1:68: expected text, found a map"},
      {section + "platforms: [org/app]}", "f.yaml:1:58: expected a map, found a list"},
      {section + "exclude: {org/app: x}}", "f.yaml:1:66: all tags of 'org/app' are named one by one",
       "[] under"},
      {section + "exclude: {'all:1': x}}", "exclude speaks of repositories"},
      {section + "exclude: {all: '('}}", "f.yaml:1:62: bad regular expression '('"},
      {section + "exclude: {all: ['']}}", "f.yaml:1:63: the regular expression is missing"},
      {section + "exclude: {all: []}}", "f.yaml:1:62: there is nothing in its list"},
      {section + "newest: {org/app: 1}}", "all tags of 'org/app' are named one by one"},
      {section + "newest: {all: 0}}", "f.yaml:1:61: expected a number of versions, from 1 on, found '0'"},
      {section + "newest: {all: -1}}", "found '-1'"},
      {section + "newest: {all: 1e3}}", "found '1e3'"},
      {section + "newest: {all: 99999999999999999999}}", "expected a number"},
      {section + "newest: {all: '3'}}", "expected a number"},
      {section + "newest: {all: [3]}}", "f.yaml:1:61: expected text, found a list"},
      {section + "targets: {org/app: Base/app}}", "f.yaml:1:66: bad "},
      {section + "targets: {org/app: 'base/app:1'}}", "TO has a tag, so FROM needs one"},
      {section + "targets: {org/app: ../app}}", "f.yaml:1:66: bad "},
      {section + "targets: {org/app: base/}}", "f.yaml:1:66: bad "},
      {section + "target: {org/app: x}}", "unknown key 'target'", "did you mean 'targets'?"},
      {"docker.io: {images: {a: [1]}, targets: {a: x, library/a: y}}",
       "f.yaml:1:47: 'library/a' stands here a second time"},
  });
}

TEST_CASE("credentials, TLS and certificates belong to the registry they stand under") {
  const test::TempDir dir;
  const auto yaml = parse_skopeo_yaml(
      "a.example:\n"
      "  images: {app: [1]}\n"
      "  credentials: {username: alice, password: 0123}\n"
      "  tls-verify: false\n"
      "b.example:\n"
      "  images: {app: [1]}\n"
      "  credentials: {username: <token>, identitytoken: abc}\n"
      "  tls-verify: yes\n"
      "  cert-dir: " +
          dir.path() +
          "\n"
          "c.example: {images: {app: [1]}, credentials: , tls-verify: , cert-dir: }\n",
      "f.yaml");
  REQUIRE(yaml.settings.size() == 2);
  const auto& a = yaml.settings.at("a.example");
  CHECK(a.credential == registry::Credential{"alice", "0123", ""});
  CHECK(a.verify_tls == false);
  CHECK(a.cert_dir.empty());
  const auto& b = yaml.settings.at("b.example");
  CHECK(b.credential == registry::Credential{"", "", "abc"});
  CHECK(b.verify_tls == true);
  CHECK(b.cert_dir == dir.path());
}

TEST_CASE("what skopeo passes over is refused where it stands") {
  check_refused({
      {"[quay.io]", "f.yaml:1:1: expected a map of registries"},
      {"quay.io", "f.yaml:1:1: expected a map of registries"},
      {"{}", "f.yaml:1:1: there are no registries"},
      {"quay.io:\n", "f.yaml:1:1: the registry names no images"},
      {"quay.io: {tls-verify: false}\n", "f.yaml:1:1: the registry names no images"},
      {"quay.io: {images: {}}\n", "f.yaml:1:1: the registry names no images"},
      {"quay.io: [app]\n", "f.yaml:1:10: expected a map, found a list"},
      {"quay.io:\n  image: {app: [1]}\n", "f.yaml:2:3: unknown key 'image'", "did you mean 'images'?"},
      {"quay.io:\n  images-by-regex: {app: x}\n", "f.yaml:2:3: unknown key", "images-by-tag-regex"},
      {"quay.io: {images: {app: [1]}}\n'quay.io': {images: {app: [2]}}\n",
       "f.yaml:2:1: duplicate key 'quay.io'"},
      {"docker.io: {images: {a: [1]}}\nindex.docker.io: {images: {a: [2]}}\n",
       "f.yaml:2:1: the registry docker.io stands"},
      {"quay.io/org: {images: {app: [1]}}\n", "f.yaml:1:1: 'quay.io/org' is no registry",
       "its repositories stand below"},
      {"https://quay.io: {images: {app: [1]}}\n", "'https://quay.io' is no registry"},
      {"quay.io:99999: {images: {app: [1]}}\n", "'quay.io:99999' is no registry"},
      {"quay.io: {images: {App: [1]}}\n", "f.yaml:1:20: bad image name 'quay.io/App'"},
      {"quay.io: {images: {../app: [1]}}\n", "f.yaml:1:20: bad image name"},
      {"quay.io: {images: {'': [1]}}\n", "f.yaml:1:20: bad image name"},
      {"quay.io: {images: {'app:1': []}}\n", "f.yaml:1:20: the repository 'app:1' has a tag",
       "write those into its list"},
      {"quay.io: {images: {app: 1.10}}\n", "f.yaml:1:25: expected a list of tags", "brackets"},
      {"quay.io: {images: {app: {a: b}}}\n", "f.yaml:1:25: expected a list of tags"},
      {"quay.io: {images: [app]}\n", "f.yaml:1:19: expected a map, found a list"},
      {"quay.io: {images: {app: [~]}}\n", "f.yaml:1:26: expected a tag"},
      {"quay.io: {images: {app: [[1]]}}\n", "f.yaml:1:26: expected a tag"},
      {"quay.io: {images: {app: ['a b']}}\n", "f.yaml:1:26: 'a b' is no tag"},
      {"quay.io: {images: {app: ['']}}\n", "f.yaml:1:26: '' is no tag"},
      {"quay.io: {images: {app: ['1@" + k_digest + "']}}\n", "a tag and a digest"},
      {"quay.io: {images: {app: ['sha256:12']}}\n", "f.yaml:1:26: "},
      {"quay.io: {images: {app: [1, '1']}}\n", "f.yaml:1:29: '1' is listed twice"},
      {"quay.io: {images-by-tag-regex: {app: '('}}\n", "f.yaml:1:38: bad regular expression '('"},
      {"quay.io: {images-by-tag-regex: {app: '(?=x)'}}\n", "bad regular expression"},
      {"quay.io: {images-by-tag-regex: {app: ''}}\n", "f.yaml:1:33: the regular expression is missing"},
      {"quay.io: {images-by-tag-regex: {app: [a]}}\n", "f.yaml:1:38: expected text, found a list"},
      {"quay.io: {images-by-semver: {app: 'new'}}\n", "f.yaml:1:35: bad version constraint 'new'"},
      {"quay.io: {images-by-semver: {app: }}\n", "f.yaml:1:30: the version constraint is missing"},
      {"quay.io: {images: {app: [1]}, tls-verify: 'true'}\n", "f.yaml:1:43: expected true or false"},
      {"quay.io: {images: {app: [1]}, tls-verify: 1}\n", "f.yaml:1:43: expected true or false"},
      {"quay.io: {images: {app: [1]}, cert-dir: /nonexistent}\n",
       "f.yaml:1:41: '/nonexistent' is not a directory"},
      {"quay.io: {images: {app: [1]}, cert-dir: ''}\n", "is not a directory"},
      {"quay.io: {images: {app: &x [1]}}\n", "anchors and aliases"},
  });
}

TEST_CASE("no secret is in a refusal") {
  for (const char* credentials :
       {"hunter2", "[alice, hunter2]", "{alice: hunter2}", "{hunter2: }",
        "{username: alice, pasword: hunter2}", "{password: hunter2}",
        "{username: alice, password: [hunter2]}", "{username: {a: hunter2}}",
        "{username: a, password: hunter2, identitytoken: hunter2}", "{}", "{username: alice, password: }"}) {
    CAPTURE(credentials);
    try {
      parse_skopeo_yaml(std::string("quay.io: {images: {app: [1]}, credentials: ") + credentials + "}",
                        "f.yaml");
      FAIL_CHECK("not refused");
    } catch (const diag::UsageError& error) {
      CHECK(error.message().find("f.yaml:1:") == 0);
      CHECK((error.message() + error.hint()).find("hunter2") == std::string::npos);
    }
  }
}

TEST_CASE("YAML is told from a plain list by its first line") {
  for (const char* yaml :
       {"quay.io:\n  images:\n", "quay.io: {}\n", "# list\n\n---\nquay.io:\n", "{\"quay.io\": {}}",
        "\xef\xbb\xbf"
        "quay.io:5000:\r\n",
        "\"quay.io\":\n", "quay.io:  # ours\n", "%YAML 1.2\n", "- nginx\n"}) {
    CAPTURE(yaml);
    CHECK(looks_like_yaml(yaml));
  }
  for (const char* list : {"", "# a: b\n", "nginx\n", "nginx:1.27\n", "registry:5000/app:1  # ours: latest\n",
                           "\n\tnginx:1\nquay.io: \n"}) {
    CAPTURE(list);
    CHECK_FALSE(looks_like_yaml(list));
  }
}
