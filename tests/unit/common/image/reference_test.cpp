#include "common/image/reference.hpp"

#include <doctest/doctest.h>

#include "common/diag/error.hpp"

namespace airgap::image {
namespace {

const std::string k_sha256 = "sha256:" + std::string(64, 'a');
const std::string k_sha512 = "sha512:" + std::string(128, '0');

TEST_CASE("a full name begins with its registry, whatever that is called") {
  for (const char* name :
       {"myreg/org/app:1", "myreg/app:1", "quay.io/org/app:1", "docker.io/library/nginx:1.27"}) {
    CAPTURE(name);
    const Reference parsed = Reference::parse_full(name);
    CHECK(parsed.str() == name);
    CHECK(parsed.registry == std::string(name).substr(0, std::string(name).find('/')));
  }
  for (const char* name : {"nginx:1.27", "docker.io/nginx:1", "index.docker.io/org/app:1"}) {
    CHECK_THROWS_WITH_AS(Reference::parse_full(name), doctest::Contains("the full name would be 'docker.io/"),
                         diag::FormatError);
  }
}

TEST_CASE("a short name names no registry") {
  for (const char* text :
       {"a.example/app", "a:5000/app", "localhost/app", "Host/app", "app:1/2", "a.example/app@sha256:1/2"})
    CHECK(Reference::names_registry(text));
  for (const char* text : {"app", "team/app", "app:1", "app@a.b/c", "", "/app"})
    CHECK(!Reference::names_registry(text));
}

TEST_CASE("short names are completed as docker completes them") {
  struct Row {
    const char *given, *full, *familiar;
  };
  constexpr Row k_table[] = {
      {"nginx", "docker.io/library/nginx", "nginx"},
      {"nginx:1.27", "docker.io/library/nginx:1.27", "nginx:1.27"},
      {"org/app:1", "docker.io/org/app:1", "org/app:1"},
      {"docker.io/nginx", "docker.io/library/nginx", "nginx"},
      {"index.docker.io/library/nginx", "docker.io/library/nginx", "nginx"},
      {"library/a/b", "docker.io/library/a/b", "library/a/b"},
      {"localhost/app", "localhost/app", "localhost/app"},
      {"localhost:5000", "docker.io/library/localhost:5000", "localhost:5000"},
      {"registry:5000/a/b:v1", "registry:5000/a/b:v1", "registry:5000/a/b:v1"},
      {"quay.io/app", "quay.io/app", "quay.io/app"},
      {"MyHost/app", "MyHost/app", "MyHost/app"},
      {"myhost/app", "docker.io/myhost/app", "myhost/app"},
      {"[::1]:5000/app:2", "[::1]:5000/app:2", "[::1]:5000/app:2"},
      {"[2001:db8::1]/team/app", "[2001:db8::1]/team/app", "[2001:db8::1]/team/app"},
      {"xn--bcher-kva.example/app", "xn--bcher-kva.example/app", "xn--bcher-kva.example/app"},
      {"quay.io/a.b/c_d/e__f/g--h/i---j", "quay.io/a.b/c_d/e__f/g--h/i---j",
       "quay.io/a.b/c_d/e__f/g--h/i---j"},
  };
  for (const auto& [given, full, familiar] : k_table) {
    CAPTURE(std::string(given));
    CHECK(Reference::parse(given).str() == full);
    CHECK(Reference::parse(given).familiar() == familiar);
    CHECK(Reference::parse(full) == Reference::parse(given));
  }
}

TEST_CASE("a tag and a digest are kept beside each other") {
  const Reference both = Reference::parse("quay.io/org/app:1.4@" + k_sha256);
  CHECK(both.registry == "quay.io");
  CHECK(both.repository == "org/app");
  CHECK(both.tag == "1.4");
  CHECK(both.digest->str() == k_sha256);
  CHECK(both.name() == "quay.io/org/app");
  CHECK(both.str() == "quay.io/org/app:1.4@" + k_sha256);
  CHECK(Reference::parse("app@" + k_sha512).str() == "docker.io/library/app@" + k_sha512);
}

TEST_CASE("latest is the tag of a name that has neither tag nor digest") {
  CHECK(Reference::parse("nginx").tag == std::nullopt);
  CHECK(Reference::parse("nginx").with_default_tag().tag == "latest");
  CHECK(Reference::parse("nginx:1").with_default_tag().tag == "1");
  CHECK(Reference::parse("nginx@" + k_sha256).with_default_tag().tag == std::nullopt);
}

TEST_CASE("names up to the limit are taken") {
  const std::string path(255, 'a');
  CHECK(Reference::parse("quay.io/" + path + ":" + std::string(128, 'x')).repository == path);
  CHECK(is_valid_repository(path));
  CHECK(is_valid_registry("host:65535"));
  CHECK(is_valid_tag("_.-A9"));
}

TEST_CASE("bad names are refused with what is wrong in them") {
  struct Row {
    std::string text;
    const char* why;
  };
  const Row k_table[] = {
      {"", "it is empty"},
      {"docker://nginx", "leave out what stands before and with '://'"},
      {"https://quay.io/app", "leave out"},
      {std::string(64, 'a'), "it is an image id"},
      {"Nginx", "'Nginx' has upper-case letters"},
      {"quay.io/org/App", "'App' has upper-case letters"},
      {"-nginx", "'-nginx' must start and end with a letter or digit"},
      {"quay.io/-app", "must start and end"},
      {"quay.io/app-", "must start and end"},
      {"quay.io/a..b", "'..' in 'a..b' is no separator"},
      {"quay.io/a___b", "'___' in 'a___b' is no separator"},
      {"quay.io/a._b", "'._' in 'a._b' is no separator"},
      {"quay.io/../etc", "'..' must start and end"},
      {"quay.io/a/./b", "'.' must start and end"},
      {"quay.io/a//b", "a '/' has nothing before or after it"},
      {"quay.io/a/", "a '/' has nothing before or after it"},
      {"/app", "a '/' has nothing before or after it"},
      {"quay.io/", "the repository is missing"},
      {"quay.io/:1", "the repository is missing"},
      {"nginx:", "the tag after ':' is missing"},
      {"nginx:-1", "must start with a letter, a digit or '_'"},
      {"nginx:.1", "must start with a letter, a digit or '_'"},
      {"nginx:a:b", "the tag 'a:b' may hold"},
      {"nginx:latest; rm -rf", "the tag 'latest; rm -rf' may hold"},
      {"nginx:" + std::string(129, 'x'), "the tag is 129 characters long"},
      {"nginx@", "bad digest ''"},
      {"nginx@sha256:abc", "expected 64 lower-case hex digits"},
      {"nginx@sha256:" + std::string(64, 'A'), "expected 64 lower-case hex digits"},
      {"nginx@md5:" + std::string(32, 'a'), "neither sha256 nor sha512"},
      {"nginx@" + k_sha256 + "@" + k_sha256, "expected 64 lower-case hex digits"},
      {"quay.io/a b", "' b' may not occur in a repository"},
      {"quay.io/a\nb", "'\\x0ab' may not occur"},
      {"quay.io/a%2fb", "'%2fb' may not occur"},
      {"quay.io/a\\b", "'\\b' may not occur"},
      {"quay.io/\xc3\xa9", "may not occur in a repository"},
      {"quay.io/" + std::string(256, 'a'), "the repository is 256 characters long"},
      {std::string(250, 'a'), "the repository is 258 characters long"},
      {"host:0/app", "'0' is no port number"},
      {"host:65536/app", "'65536' is no port number"},
      {"host:/app", "'' is no port number"},
      {"host:50x/app", "'50x' is no port number"},
      {"ho_st.io/app", "'ho_st' cannot be part of a host name"},
      {"user@host.io/app", "bad digest"},
      {".io/app", "'' cannot be part of a host name"},
      {"host./app", "'' cannot be part of a host name"},
      {"-host.io/app", "'-host' cannot be part of a host name"},
      {"b\xc3\xbc.example/app", "cannot be part of a host name"},
      {"[::1/app", "is no IPv6 address in brackets"},
      {"[::1]x:5/app", "is no IPv6 address in brackets"},
      {"[]:5/app", "is no IPv6 address in brackets"},
      {"[fe80::1%eth0]/app", "is no IPv6 address in brackets"},
      {"[::1]:5000", "the repository after the host is missing"},
      {std::string(256, 'h') + ".io/app", "host is longer than 255"},
  };
  for (const auto& [text, why] : k_table) {
    CAPTURE(std::string(text));
    CHECK_THROWS_WITH_AS(Reference::parse(text), doctest::Contains(why), diag::FormatError);
    CHECK_THROWS_WITH_AS(Reference::parse(text), doctest::Contains("bad image name '"), diag::FormatError);
  }
}

TEST_CASE("a registry that is named apart needs no dot") {
  CHECK(Reference::in_registry("myreg", "app:1").str() == "myreg/app:1");
  CHECK(Reference::in_registry("myreg:5000", "a/b@" + k_sha256).str() == "myreg:5000/a/b@" + k_sha256);
  CHECK(Reference::in_registry("index.docker.io", "nginx").str() == "docker.io/library/nginx");
  CHECK(Reference::in_registry("quay.io", "nginx").str() == "quay.io/nginx");
  CHECK_THROWS_WITH_AS(Reference::in_registry("quay.io", ""), doctest::Contains("bad image name 'quay.io/'"),
                       diag::FormatError);
  CHECK_THROWS_AS(Reference::in_registry("a/b", "c"), diag::FormatError);
}

TEST_CASE("a refusal shows what a good name looks like, and no raw bytes") {
  try {
    Reference::parse("quay.io/\x1b[31mred");
    FAIL("accepted");
  } catch (const diag::FormatError& error) {
    CHECK(error.message().find('\x1b') == std::string::npos);
    CHECK(error.hint().find("registry.example.com/team/app:1.4") != std::string::npos);
  }
}

}  // namespace
}  // namespace airgap::image
