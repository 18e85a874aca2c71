#include "common/image/media_type.hpp"
#include "tests/unit/common/registry/registry_fixture.hpp"

namespace airgap::registry {
namespace {

using namespace test;
using Tags = std::vector<std::string>;

const std::string k_tags = "GET " + k_base + "tags/list";

TEST_CASE("tags come sorted, once, and what no tag can be is left out with one warning (R57)") {
  const test::Warnings warnings;
  RegistryFixture f;
  f.http.always(k_tags,
                {.body = R"({"name":"x","tags":["b","a",null,"a","..","sha256:00","x\u001b[31m",5,"",")" +
                         std::string(200, 'z') + R"("]})"});
  CHECK(f.client.list_tags(f.repository) == Tags{"a", "b"});
  REQUIRE(warnings.lines().size() == 1);
  CHECK(warnings.lines().front().find("7 names") != std::string::npos);
}

TEST_CASE("an empty list, a null list and an unknown repository differ") {
  RegistryFixture f;
  f.http.next(k_tags, {.body = R"({"tags":[]})"})
      .next(k_tags, {.body = R"({"name":"x","tags":null})"})
      .next(k_tags, {.status = 404, .body = errors("NAME_UNKNOWN")});
  CHECK(f.client.list_tags(f.repository) == Tags{});
  CHECK(f.client.list_tags(f.repository) == Tags{});
  CHECK(!f.client.list_tags(f.repository));
}

TEST_CASE("pages are followed by Link, short and empty ones too") {
  RegistryFixture f;
  f.http
      .next(k_tags, {.headers = {{"Link", "</v2/team/app/tags/list?last=a>; rel=\"next\""}},
                     .body = R"({"tags":["a"]})"})
      .next(k_tags + "?last=a", {.headers = {{"Link", "<list?last=b>; rel=next"}}, .body = R"({"tags":[]})"})
      .next(k_tags + "?last=b", {.body = R"({"tags":["c","a"]})"});
  CHECK(f.client.list_tags(f.repository) == Tags{"a", "c"});
}

TEST_CASE("lists that do not end or are no lists are refused (R19, R58, R59)") {
  struct Row {
    FakeAnswer answer;
    const char* why;
  };
  const std::vector<Row> rows{
      {{.headers = {{"Link", "<https://evil.test/>; rel=next"}}, .body = R"({"tags":["a"]})"}, "evil.test"},
      {{.headers = {{"Link", "<list>; rel=next"}}, .body = R"({"tags":["a"]})"}, "repeats"},
      {{.headers = {{"Link", "<list>; rel=next"}}, .body = R"({"tags":[]})"}, "circle"},
      {{.headers = {{"Content-Type", "text/html"}}, .body = "<p>"}, "not a registry answer"},
      {{.body = "hello"}, "not a registry answer"},
      {{.body = R"({"tags":"a"})"}, "not a registry answer"},
      {{.body = R"([])"}, "not a registry answer"},
      {{.status = 500}, "500"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.why);
    RegistryFixture f;
    f.http.always(k_tags, row.answer);
    const diag::Error error = error_of([&] { return f.client.list_tags(f.repository); });
    CHECK(error.kind() == diag::ErrorKind::network);
    CHECK(error.full_message().find(row.why) != std::string::npos);
  }
}

TEST_CASE("warnings of a registry are shown once and escaped (R62)") {
  const test::Warnings warnings;
  RegistryFixture f;
  f.http.always(k_tags, {.headers = {{"Warning", "299 - \"old\x1b[2J\""}}, .body = R"({"tags":[]})"});
  f.client.list_tags(f.repository);
  f.client.list_tags(f.repository);
  REQUIRE(warnings.lines().size() == 1);
  CHECK(warnings.lines().front() == "reg.example says: 299 - \"old\\x1b[2J\"");
}

struct Referrers : RegistryFixture {
  hash::Digest subject = hash::sha256_of("subject");
  std::string line = "GET " + k_base + "referrers/" + subject.str();

  static std::string page(const std::vector<std::string>& contents) {
    std::string list;
    for (const std::string& bytes : contents) {
      list += std::string(list.empty() ? "" : ",") +
              R"({"mediaType":"application/vnd.oci.image.manifest.v1+json",)" +
              R"("artifactType":"application/x.)" + bytes + R"(","size":1,"digest":")" + text_digest(bytes) +
              "\"}";
    }
    return R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[)" +
           list + "]}";
  }
};

TEST_CASE("referrers come from the API, over pages and unfiltered") {
  Referrers f;
  const std::string type(image::k_oci_index);
  f.http
      .next(f.line, {.headers = {{"Content-Type", type}, {"Link", "<?page=2>; rel=next"}},
                     .body = f.page({"a", "b"})})
      .next(f.line + "?page=2", {.headers = {{"Content-Type", type}}, .body = f.page({"b", "c"})});
  const auto found = f.client.referrers(f.repository, f.subject);
  REQUIRE(found);
  REQUIRE(found->size() == 3);
  CHECK(found->at(2).digest == hash::sha256_of("c"));
  CHECK(found->at(2).artifact_type == "application/x.c");
}

TEST_CASE(
    "a registry without the API is asked once, a repository that is not there says nothing about it (R61)") {
  for (const int status : {400, 404, 405, 406, 415, 501}) {
    CAPTURE(status);
    Referrers f;
    f.http.next(f.line, {.status = status, .body = "404 page not found"});
    CHECK(!f.client.referrers(f.repository, f.subject));
    CHECK(!f.client.referrers(f.repository, f.subject));
    CHECK(f.lines().size() == 1);
  }
  Referrers unknown;
  unknown.http.always(unknown.line, {.status = 404, .body = errors("NAME_UNKNOWN")});
  CHECK(!unknown.client.referrers(unknown.repository, unknown.subject));
  CHECK(!unknown.client.referrers(unknown.repository, unknown.subject));
  CHECK(unknown.lines().size() == 2);
}

TEST_CASE("a failing referrers API is an error, never an empty list (R61)") {
  for (const FakeAnswer& answer :
       {FakeAnswer{.status = 500}, FakeAnswer{.status = 403}, FakeAnswer{.status = 429},
        FakeAnswer{.headers = {{"Content-Type", "text/html"}}, .body = "<p>"}, FakeAnswer{.body = "{}"},
        FakeAnswer{.body = ""}}) {
    CAPTURE(answer.status);
    CAPTURE(answer.body);
    Referrers f;
    f.http.always(f.line, answer);
    CHECK_THROWS_AS(f.client.referrers(f.repository, f.subject), diag::Error);
  }
}

}  // namespace
}  // namespace airgap::registry
