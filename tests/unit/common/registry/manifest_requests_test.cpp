#include "common/hash/verifying_source.hpp"
#include "common/image/media_type.hpp"
#include "common/registry/limits.hpp"
#include "common/registry/registry_source.hpp"
#include "tests/unit/common/registry/registry_fixture.hpp"

namespace airgap::registry {
namespace {

using namespace test;

const std::string k_oci = std::string(image::k_oci_manifest);
const std::string k_config = R"({"mediaType":"application/vnd.oci.image.config.v1+json","size":2,"digest":)"
                             R"("sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"})";
const std::string k_manifest =
    R"({"schemaVersion":2,"mediaType":")" + k_oci + R"(","config":)" + k_config + R"(,"layers":[]})";

std::string head(const std::string& reference) {
  return "HEAD " + k_base + "manifests/" + reference;
}
std::string get(const std::string& reference) {
  return "GET " + k_base + "manifests/" + reference;
}
std::string put(const std::string& reference) {
  return "PUT " + k_base + "manifests/" + reference;
}

FakeAnswer found(const std::string& body = k_manifest, const std::string& type = k_oci) {
  return {.status = 200,
          .headers = {{"Content-Type", type}, {"Docker-Content-Digest", text_digest(body)}},
          .body = body};
}

TEST_CASE("a tag costs one HEAD, with the full Accept list") {
  RegistryFixture f;
  FakeAnswer answer = found();
  answer.headers.emplace_back("Content-Length", "123");
  f.http.next(head("1.0"), answer);
  const auto result = f.client.head_manifest(f.repository, "1.0");
  REQUIRE(result);
  CHECK(result->digest.str() == text_digest(k_manifest));
  CHECK(result->media_type == k_oci);
  CHECK(result->size == 123);
  CHECK(f.request(0).header("Accept") == image::k_manifest_accept);
  CHECK(f.request(0).header("Cookie").empty());
}

TEST_CASE("a HEAD that does not say enough is followed by a GET (R33, R35)") {
  for (const auto& headers : std::vector<std::vector<std::pair<std::string, std::string>>>{
           {{"Content-Type", k_oci}},
           {{"Content-Type", k_oci}, {"Docker-Content-Digest", "sha256:junk"}},
           {{"Content-Type", k_oci}, {"Docker-Content-Digest", "md5:00"}},
           {{"Content-Type", "text/plain"}, {"Docker-Content-Digest", text_digest("x")}},
           {{"Docker-Content-Digest", text_digest("x")}}}) {
    RegistryFixture f;
    f.http.next(head("1.0"), {.headers = headers}).next(get("1.0"), found());
    const auto result = f.client.head_manifest(f.repository, "1.0");
    REQUIRE(result);
    CHECK(result->digest.str() == text_digest(k_manifest));
    CHECK(result->size == k_manifest.size());
  }
}

TEST_CASE("by digest a HEAD is enough whatever it says, from a host that is a registry (R35, R66)") {
  const std::string digest = text_digest("x");
  RegistryFixture f;
  f.http.always(head(digest),
                {.headers = {{"Docker-Content-Digest", "sha512:00"}, {test::k_api, "registry/2.0"}}});
  CHECK(f.client.head_manifest(f.repository, digest)->digest.str() == digest);
  CHECK(f.lines().size() == 1);

  RegistryFixture parked;
  parked.http.always(head(digest), {.status = 200})
      .always("GET https://reg.example/v2/",
              {.headers = {{"Content-Type", "text/html"}}, .body = "<h1>For sale</h1>"});
  CHECK_THROWS_AS(parked.client.head_manifest(parked.repository, digest), diag::NetworkError);
}

TEST_CASE(
    "a HEAD that is refused is followed by a GET, and a host that knows none is not asked again (R32)") {
  for (const int status : {400, 401, 403, 405, 412, 501}) {
    CAPTURE(status);
    RegistryFixture f({}, {{"reg.example", {"u", "p", ""}}});
    f.http.always(head("1.0"), {.status = status, .headers = {{"WWW-Authenticate", "Basic"}}})
        .always(get("1.0"), found());
    CHECK(f.client.head_manifest(f.repository, "1.0"));
    const std::size_t first = f.lines().size();
    CHECK(f.client.head_manifest(f.repository, "1.0"));
    const bool for_good = status == 400 || status == 405 || status == 501;
    CHECK((f.lines().size() - first == 1) == for_good);
  }
}

TEST_CASE("absence is an empty answer, trouble is an error") {
  RegistryFixture f;
  f.http.always(head("none"), {.status = 404})
      .always(get("none"), {.status = 404, .body = errors("MANIFEST_UNKNOWN")});
  CHECK(!f.client.head_manifest(f.repository, "none"));
  CHECK(!f.client.get_manifest(f.repository, "none"));
  struct Row {
    int status;
    diag::ErrorKind kind;
  };
  for (const Row& row : {Row{429, diag::ErrorKind::network}, Row{500, diag::ErrorKind::network},
                         Row{403, diag::ErrorKind::credentials}}) {
    CAPTURE(row.status);
    RegistryFixture bad;
    bad.http.always(head("1"), {.status = row.status}).always(get("1"), {.status = row.status});
    CHECK(error_of([&] { return bad.client.head_manifest(bad.repository, "1"); }).kind() == row.kind);
    CHECK(error_of([&] { return bad.client.get_manifest(bad.repository, "1"); }).kind() == row.kind);
  }
}

TEST_CASE("by tag the bytes decide the digest, and a header that says otherwise is a warning (R34)") {
  const test::Warnings warnings;
  RegistryFixture f;
  FakeAnswer lying = found();
  lying.headers[1].second = text_digest("something else");
  f.http.always(get("1.0"), lying);
  const auto result = f.client.get_manifest(f.repository, "1.0");
  f.client.get_manifest(f.repository, "1.0");
  REQUIRE(result);
  CHECK(result->bytes == k_manifest);
  CHECK(result->descriptor.digest.str() == text_digest(k_manifest));
  CHECK(result->descriptor.media_type == k_oci);
  CHECK(warnings.lines().size() == 1);
}

TEST_CASE("by digest wrong bytes are asked for once more, then refused (R4, R34)") {
  const std::string digest = text_digest(k_manifest);
  RegistryFixture healed;
  healed.http.next(get(digest), found("stale")).next(get(digest), found());
  CHECK(healed.client.get_manifest(healed.repository, digest)->bytes == k_manifest);

  RegistryFixture f;
  f.http.always(get(digest), found(k_manifest + " "));
  CHECK_THROWS_AS(f.client.get_manifest(f.repository, digest), hash::DigestMismatch);
  CHECK(f.lines().size() == 2);

  RegistryFixture sha512;
  const std::string long_digest = hash::digest_of(hash::Algorithm::sha512, k_manifest).str();
  sha512.http.next(get(long_digest), found());
  CHECK(sha512.client.get_manifest(sha512.repository, long_digest)->descriptor.digest.str() == long_digest);
}

TEST_CASE("what is not a manifest is refused for what it is") {
  struct Row {
    FakeAnswer answer;
    diag::ErrorKind kind;
    const char* why;
  };
  const std::vector<Row> rows{
      {found("<html>please log in</html>", "text/html"), diag::ErrorKind::network,
       "not a registry answer"},  // R19
      {found("<html>parked</html>", "application/json"), diag::ErrorKind::network, "not a registry answer"},
      {found("Welcome!", "text/plain"), diag::ErrorKind::network, "not a registry answer"},  // R66
      {found("", k_oci), diag::ErrorKind::network, "not a registry answer"},
      {found(k_manifest + "x", k_oci), diag::ErrorKind::unsafe, ""},                           // R38
      {found(std::string(k_max_manifest + 1, ' '), k_oci), diag::ErrorKind::unsafe, "limit"},  // R37
      {{.headers = {{"Content-Type", k_oci}, {"Content-Length", "99999999"}}},
       diag::ErrorKind::unsafe,
       "99999999"},
      {{.headers = {{"Content-Encoding", "gzip"}}, .body = k_manifest},
       diag::ErrorKind::network,
       "Content-Encoding"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.answer.body.substr(0, 40));
    RegistryFixture f;
    f.http.next(get("1"), row.answer);
    const diag::Error error = error_of([&] { return f.client.get_manifest(f.repository, "1"); });
    CHECK(error.kind() == row.kind);
    CHECK(error.full_message().find(row.why) != std::string::npos);
  }
}

TEST_CASE("a document of an unknown type is read with that type in Accept, and only by its digest (R48)") {
  RegistryFixture f;
  const std::string bytes = "anything";
  image::Descriptor wanted{
      .media_type = "application/vnd.x+json", .digest = hash::sha256_of(bytes), .size = 8};
  f.http.always(get(wanted.digest.str()), found(bytes, "application/vnd.x+json"));
  RegistrySource source(f.client, f.repository);
  CHECK(source.read_manifest(wanted) == bytes);
  CHECK(f.request(0).header("Accept").ends_with(", application/vnd.x+json"));
  wanted.size = 9;
  CHECK_THROWS_AS(source.read_manifest(wanted), hash::DigestMismatch);
  wanted.size = 0;
  wanted.media_type = "evil\r\nX: y";
  CHECK(source.read_manifest(wanted) == bytes);
  CHECK(f.request(2).header("Accept") == image::k_manifest_accept);
}

TEST_CASE("a child that is not there is a network error that names it (R49)") {
  RegistryFixture f;
  const image::Descriptor wanted = test::blob_of("x");
  f.http.next(get(wanted.digest.str()), {.status = 404});
  CHECK(error_of([&] { return f.client.read_document(f.repository, wanted); }).kind() ==
        diag::ErrorKind::network);
}

TEST_CASE("a manifest is put with its exact bytes and type") {
  RegistryFixture f;
  f.http.next(put("1.0"), {.status = 201});
  f.client.put_manifest(f.repository, "1.0", k_manifest, k_oci);
  CHECK(f.request(0).body == k_manifest);
  CHECK(f.request(0).header("Content-Type") == k_oci);
}

TEST_CASE("an immutable tag that has the digest already is fine, another one is not (R80)") {
  for (const int status : {403, 405, 409, 412}) {
    CAPTURE(status);
    RegistryFixture same;
    same.http.next(put("1"), {.status = status}).next(head("1"), found());
    same.client.put_manifest(same.repository, "1", k_manifest, k_oci);

    RegistryFixture other;
    other.http.next(put("1"), {.status = status}).next(head("1"), found("other", k_oci));
    const diag::Error error =
        error_of([&] { return other.client.put_manifest(other.repository, "1", k_manifest, k_oci); });
    CHECK(error.kind() == diag::ErrorKind::credentials);
  }
}

TEST_CASE("a web page in answer to a PUT is no success (R66)") {
  RegistryFixture f;
  f.http.next(put("1"), {.status = 200, .headers = {{"Content-Type", "text/html"}}, .body = "<p>"});
  CHECK_THROWS_AS(f.client.put_manifest(f.repository, "1", k_manifest, k_oci), diag::NetworkError);
}

TEST_CASE("a tag is deleted where the registry does that; otherwise it is as it was") {
  struct Row {
    int status;
    bool gone;
  };
  for (const Row& row : std::vector<Row>{{202, true}, {200, true}, {404, true}, {400, false}, {405, false}}) {
    CAPTURE(row.status);
    RegistryFixture f;
    f.http.next("DELETE " + k_base + "manifests/1", {.status = row.status, .body = errors("X")});
    CHECK(f.client.delete_tag(f.repository, "1") == row.gone);
  }
}

TEST_CASE("a refused deletion says what was to go and why it stays") {
  struct Row {
    int status;
    diag::ErrorKind kind;
    const char* says;
  };
  const hash::Digest digest = hash::sha256_of("x");
  for (const Row& row :
       std::vector<Row>{{405, diag::ErrorKind::network, "deleting is switched off"},
                        {403, diag::ErrorKind::credentials, "may delete there"},
                        {500, diag::ErrorKind::network, "refused the deletion of team/app@sha256:"}}) {
    CAPTURE(row.status);
    RegistryFixture f;
    f.http.next("DELETE " + k_base + "manifests/" + digest.str(),
                {.status = row.status, .body = errors("X")});
    const diag::Error error = error_of([&] {
      f.client.delete_manifest(f.repository, digest);
      return 0;
    });
    CHECK(error.kind() == row.kind);
    CHECK((error.message() + error.hint()).find(row.says) != std::string::npos);
  }
}

}  // namespace
}  // namespace airgap::registry
