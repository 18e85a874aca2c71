#include "common/lookaside/lookaside_conf.hpp"

#include <doctest/doctest.h>

#include <vector>

#include "common/diag/error.hpp"

using namespace airgap;
using lookaside::LookasideConf;

namespace {

std::optional<std::string> read_url(const LookasideConf& conf, const char* name) {
  return conf.read_url(image::Reference::parse(name).with_default_tag());
}

}  // namespace

TEST_CASE("the most particular namespace that names a place decides") {
  LookasideConf conf;
  conf.add(R"(
default-docker:
  lookaside: https://all.example
docker:
  quay.io:
    lookaside: https://quay.example
  quay.io/org:
    sigstore: https://org.example   # the name of old
  quay.io/org/app:
    lookaside-staging: file:///staging
  quay.io/org/app:1.0:
    lookaside: https://tag.example
  "*.example.com":
    lookaside: https://domain.example
  host.internal:5000:
    lookaside: https://port.example
)",
           "a.yaml");
  struct Row {
    const char* name;
    const char* url;
  };
  const std::vector<Row> rows{
      {"quay.io/org/app:1.0", "https://tag.example"},
      {"quay.io/org/app:2.0", "https://org.example"},
      {"quay.io/org/other:1", "https://org.example"},
      {"quay.io/organisation/app:1", "https://quay.example"},
      {"registry.example.com/a", "https://domain.example"},
      {"a.b.example.com/a", "https://domain.example"},
      {"example.com/a", "https://all.example"},
      {"host.internal:5000/a", "https://port.example"},
      {"host.internal/a", "https://all.example"},
      {"nginx", "https://all.example"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    CHECK(read_url(conf, row.name) == row.url);
  }
  // Written where it is staged, else where it is read.
  CHECK(conf.write_url(image::Reference::parse("quay.io/org/app:2")) == "file:///staging");
  CHECK(conf.write_url(image::Reference::parse("quay.io/other/app:2")) == "https://quay.example");
}

TEST_CASE("where nothing is named there is no place") {
  LookasideConf conf;
  conf.add("# nothing but comments\n", "default.yaml");
  CHECK(conf.empty());
  conf.add("docker:\n  quay.io:\n    use-sigstore-attachments: true\n", "quay.yaml");
  CHECK(read_url(conf, "quay.io/org/app") == std::nullopt);
  CHECK(read_url(conf, "nginx") == std::nullopt);
  conf.add("default-docker:\n  lookaside-staging: file:///var/lib/containers/sigstore\n", "debian.yaml");
  CHECK(read_url(conf, "nginx") == std::nullopt);
}

TEST_CASE("what is not understood is refused with its place") {
  struct Row {
    const char* yaml;
    const char* message;
  };
  const std::vector<Row> rows{
      {"dockr: {}\n", "b.yaml:1:1"},
      {"docker:\n  quay.io:\n    lookasid: x\n", "b.yaml:3:5"},
      {"docker: [quay.io]\n", "b.yaml:1:9"},
      {"docker:\n  quay.io:\n    lookaside: {a: b}\n", "b.yaml:3:16"},
      {"docker:\n  taken.io:\n    lookaside: file:///x\n", "b.yaml:2:3: taken.io stands in a.yaml already"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.yaml);
    LookasideConf conf;
    conf.add("docker:\n  taken.io:\n    lookaside: file:///y\n", "a.yaml");
    CHECK_THROWS_WITH_AS(conf.add(row.yaml, "b.yaml"), doctest::Contains(row.message), diag::UsageError);
  }
}
