#include "common/hash/verifying_source.hpp"
#include "common/image/media_type.hpp"
#include "tests/unit/common/registry/registry_fixture.hpp"

namespace airgap::registry {
namespace {

using namespace test;
using Use = MirrorRule::Use;

const std::string k_manifest =
    R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":)"
    R"("application/vnd.oci.image.config.v1+json","size":2,"digest":)"
    R"("sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"},"layers":[]})";
const std::string k_digest = text_digest(k_manifest);
const std::string k_mirror = "https://mirror.example/v2/hub/team/app/";
const std::string k_second = "https://second.example/v2/team/app/";
const std::string k_origin = "https://reg.example/v2/team/app/";

RegistryOptions routed(std::vector<MirrorRule> mirrors = {{"mirror.example/hub"}, {"second.example"}},
                       bool blocked = false) {
  RegistryRule rule{
      .prefix = "reg.example", .location = "reg.example", .blocked = blocked, .place = "r.conf:1:1"};
  rule.mirrors = std::move(mirrors);
  RegistryOptions options;
  options.routes = PullRoutes({rule});
  options.pull_by_routes = true;
  options.retry.repeats = 0;
  return options;
}

FakeAnswer manifest(const std::string& body = k_manifest) {
  return {.status = 200,
          .headers = {{"Content-Type", std::string(image::k_oci_manifest)},
                      {"Docker-Content-Digest", text_digest(body)}},
          .body = body};
}
const FakeAnswer k_absent{.status = 404, .body = test::errors("MANIFEST_UNKNOWN")};
const FakeAnswer k_broken{.status = 503};
const FakeAnswer k_dead{.error = [] { throw http::TransferError("connection refused", false); }};

std::string all_of(io::Source& source) {
  return io::read_all(source, std::size_t{1} << 20, "test blob");
}

TEST_CASE("the first mirror that has it answers, and nobody else is asked") {
  RegistryFixture f(routed());
  f.http.next("GET " + k_mirror + "manifests/1", manifest());
  CHECK(f.client.get_manifest(f.repository, "1")->descriptor.digest.str() == k_digest);
  CHECK(f.http.lines().size() == 1);
}

TEST_CASE("a mirror that fails or lacks it is followed by the next, with one warning for each that fails") {
  const Warnings warnings;
  RegistryFixture f(routed());
  for (const char* tag : {"1", "2"}) {
    f.http.next("GET " + k_mirror + "manifests/" + tag, k_broken);
    f.http.next("GET " + k_second + "manifests/" + tag, k_absent);
    f.http.next("GET " + k_origin + "manifests/" + tag, manifest());
    CHECK(f.client.get_manifest(f.repository, tag));
  }
  REQUIRE(warnings.lines().size() == 1);
  CHECK(
      warnings.lines()[0].starts_with("mirror mirror.example/hub/team/app fails, the next place is asked: "));
}

TEST_CASE("a mirror that cannot be reached is asked once a run") {
  const Warnings warnings;
  RegistryFixture f(routed({{"mirror.example/hub"}}));
  f.http.next("GET " + k_mirror + "manifests/1", k_dead);
  f.http.next("GET " + k_origin + "manifests/1", manifest());
  f.http.next("GET " + k_origin + "manifests/2", manifest());
  CHECK(f.client.get_manifest(f.repository, "1"));
  CHECK(f.client.get_manifest(f.repository, "2"));
  CHECK(f.lines().size() == 3);
}

TEST_CASE("when all fail, the location's error tells of the mirrors") {
  const Warnings warnings;
  RegistryFixture f(routed({{"mirror.example/hub"}}));
  f.http.next("GET " + k_mirror + "manifests/1", k_dead);
  f.http.next("GET " + k_origin + "manifests/1", k_broken);
  const auto error = error_of([&] { return f.client.get_manifest(f.repository, "1"); });
  CHECK(error.kind() == diag::ErrorKind::network);
  CHECK(error.full_message().find("asking reg.example/team/app after mirror.example/hub/team/app failed") !=
        std::string::npos);
}

TEST_CASE("a mirror for digests is not asked for tags, and one for tags not for digests") {
  RegistryFixture f(
      routed({{"mirror.example/hub", false, Use::digest_only}, {"second.example", false, Use::tag_only}}));
  f.http.next("HEAD " + k_second + "manifests/1", manifest());
  f.http.next("GET " + k_mirror + "manifests/" + k_digest, manifest());
  CHECK(f.client.head_manifest(f.repository, "1"));
  CHECK(f.client.get_manifest(f.repository, k_digest));
  CHECK(f.lines().size() == 2);
}

TEST_CASE("wrong bytes of a mirror are not taken, and absence elsewhere does not hide them") {
  const Warnings warnings;
  for (const bool elsewhere : {true, false}) {
    RegistryFixture f(routed({{"mirror.example/hub"}}));
    for (int i = 0; i < 2; ++i)
      f.http.next("GET " + k_mirror + "manifests/" + k_digest, manifest(k_manifest + " "));
    f.http.next("GET " + k_origin + "manifests/" + k_digest, elsewhere ? manifest() : k_absent);
    if (elsewhere) {
      CHECK(f.client.get_manifest(f.repository, k_digest)->bytes == k_manifest);
    } else {
      const auto error = error_of([&] { return f.client.get_manifest(f.repository, k_digest); });
      CHECK(error.kind() == diag::ErrorKind::integrity);
      CHECK(error.message().find("https://mirror.example served wrong bytes") != std::string::npos);
    }
  }
  CHECK(warnings.lines().size() == 2);
}

TEST_CASE("a blob whose mirror stops half-way goes on at the next place from that byte") {
  const Warnings warnings;
  RegistryFixture f(routed({{"mirror.example/hub"}}));
  const std::string bytes = "0123456789";
  const auto blob = test::blob_of(bytes);
  const std::string path = "blobs/" + blob.digest.str();
  f.http.next("GET " + k_mirror + path,
              {.headers = {{"Content-Length", "10"}}, .body = bytes.substr(0, 4), .cut = true});
  f.http.next("GET " + k_origin + path,
              {.status = 206, .headers = {{"Content-Range", "bytes 4-9/10"}}, .body = bytes.substr(4)});
  const auto source = f.client.open_blob(f.repository, blob, 0);
  CHECK(all_of(*source) == bytes);
  CHECK(f.request(1).header("Range") == "bytes=4-");
}

std::string verified(RegistryClient& client, const Repository& repository, const image::Descriptor& blob) {
  const auto source = client.open_blob(repository, blob, 0);
  hash::VerifyingSource checked(*source, blob.digest, blob.size);
  return all_of(checked);
}

TEST_CASE("a blob that was wrong at one place is asked for elsewhere the next time") {
  const Warnings warnings;
  RegistryFixture f(routed({{"mirror.example/hub"}}));
  const auto blob = test::blob_of("0123456789");
  const std::string path = "blobs/" + blob.digest.str();
  f.http.next("GET " + k_mirror + path, {.body = "9999999999"});
  f.http.next("GET " + k_origin + path, {.body = "0123456789"});
  CHECK_THROWS_AS(verified(f.client, f.repository, blob), hash::DigestMismatch);
  CHECK(verified(f.client, f.repository, blob) == "0123456789");
}

TEST_CASE("a blob that was right is asked for at the same place however often it is read") {
  RegistryFixture f(routed({{"mirror.example/hub"}}));
  const auto blob = test::blob_of("0123456789");
  f.http.always("GET " + k_mirror + "blobs/" + blob.digest.str(), {.body = "0123456789"});
  for (int i = 0; i < 3; ++i) CHECK(verified(f.client, f.repository, blob) == "0123456789");
}

TEST_CASE("whoever gave a wrong blob is asked again when nobody else can") {
  const Warnings warnings;
  RegistryFixture f(routed({{"mirror.example/hub"}}));
  const auto blob = test::blob_of("0123456789");
  const std::string path = "blobs/" + blob.digest.str();
  f.http.next("GET " + k_mirror + path, {.body = "9999999999"});
  f.http.next("GET " + k_origin + path, k_dead);
  f.http.next("GET " + k_mirror + path, {.body = "0123456789"});
  CHECK_THROWS_AS(verified(f.client, f.repository, blob), hash::DigestMismatch);
  CHECK(verified(f.client, f.repository, blob) == "0123456789");
  CHECK(f.lines().size() == 3);
}

TEST_CASE("a blob of another length at the mirror is the next place's to give") {
  const Warnings warnings;
  RegistryFixture f(routed({{"mirror.example/hub"}}));
  const auto blob = test::blob_of("0123456789");
  const std::string path = "blobs/" + blob.digest.str();
  f.http.next("GET " + k_mirror + path, {.body = "012345678"});
  f.http.next("GET " + k_origin + path, {.body = "0123456789"});
  CHECK(all_of(*f.client.open_blob(f.repository, blob, 0)) == "0123456789");
}

TEST_CASE("tags are the location's to list; a mirror's do only for those who say so") {
  const Warnings warnings;
  RegistryFixture f(routed({{"mirror.example/hub"}}));
  f.http.always("GET " + k_origin + "tags/list", k_broken);
  f.http.always("GET " + k_mirror + "tags/list", {.body = R"({"tags":["1"]})"});
  CHECK_THROWS_AS(f.client.list_tags(f.repository), diag::NetworkError);
  const FoundTags found = f.client.find_tags(f.repository, TagsFrom::any_mirror);
  CHECK(found.tags == std::vector<std::string>{"1"});
  CHECK(found.of_mirror);
  CHECK(f.lines() == std::vector<std::string>{"GET " + k_origin + "tags/list",
                                              "GET " + k_origin + "tags/list",
                                              "GET " + k_mirror + "tags/list"});
}

TEST_CASE("a location that is down is asked for tags once a run, where a mirror's will do") {
  const Warnings warnings;
  RegistryFixture f(routed({{"mirror.example/hub"}}));
  f.http.next("GET " + k_origin + "tags/list", k_dead);
  f.http.always("GET " + k_mirror + "tags/list", {.body = R"({"tags":["1"]})"});
  for (int i = 0; i < 2; ++i) CHECK(f.client.find_tags(f.repository, TagsFrom::any_mirror).tags->size() == 1);
}

TEST_CASE("a repository that the location does not know has no tags, whatever a mirror holds") {
  RegistryFixture f(routed());
  f.http.next("GET " + k_origin + "tags/list", {.status = 404, .body = test::errors("NAME_UNKNOWN")});
  const FoundTags found = f.client.find_tags(f.repository, TagsFrom::any_mirror);
  CHECK(!found.tags);
  CHECK(!found.of_mirror);
}

const std::string k_referrers = "referrers/" + k_digest;
const FakeAnswer k_none{.headers = {{"Content-Type", std::string(image::k_oci_index)}},
                        .body = R"({"schemaVersion":2,"manifests":[]})"};
const FakeAnswer k_one{.headers = k_none.headers,
                       .body = R"({"schemaVersion":2,"manifests":[{"mediaType":")" +
                               std::string(image::k_oci_manifest) + R"(","size":3,"digest":")" +
                               text_digest("abc") + R"("}]})"};

TEST_CASE("a mirror's referrers are taken, and its word that there are none is not") {
  const Warnings warnings;
  const auto subject = hash::Digest::parse(k_digest);
  for (const FakeAnswer& nothing : {k_none, FakeAnswer{.status = 404}}) {
    RegistryFixture f(routed({{"mirror.example/hub"}}));
    f.http.always("GET " + k_mirror + k_referrers, nothing);
    f.http.next("GET " + k_origin + k_referrers, k_one);
    const FoundReferrers found = f.client.find_referrers(f.repository, subject);
    CHECK(found.listed->size() == 1);
    CHECK(!found.of_mirror);

    f.http.next("GET " + k_origin + k_referrers, k_broken);
    const auto error = error_of([&] { return f.client.find_referrers(f.repository, subject); });
    CHECK(error.message().find("its location cannot be asked: ") != std::string::npos);

    RegistryFixture closed(routed({{"mirror.example/hub"}}, true));
    closed.http.next("GET " + k_mirror + k_referrers, nothing);
    CHECK_THROWS_WITH_AS(closed.client.referrers(closed.repository, subject),
                         doctest::Contains("its location is blocked"), MirrorsKnowNone);
  }
  RegistryFixture positive(routed({{"mirror.example/hub"}}));
  positive.http.next("GET " + k_mirror + k_referrers, k_one);
  CHECK(positive.client.find_referrers(positive.repository, subject).of_mirror);
}

TEST_CASE("where the mirrors fail too, the location's failure is no word on referrers") {
  const Warnings warnings;
  RegistryFixture f(routed({{"mirror.example/hub"}}));
  f.http.next("GET " + k_mirror + k_referrers, k_broken);
  f.http.next("GET " + k_origin + k_referrers, k_broken);
  const auto error =
      error_of([&] { return f.client.find_referrers(f.repository, hash::Digest::parse(k_digest)); });
  CHECK(error.message().find("list nothing") == std::string::npos);
}

TEST_CASE("what is pushed to is not read through mirrors") {
  RegistryFixture f(routed());
  f.http.always("HEAD " + k_origin + "manifests/1", manifest());
  f.http.always("HEAD " + k_origin + "blobs/" + k_digest, {.headers = {{test::k_api, "registry/2.0"}}});
  CHECK(f.client.has_blob(f.repository, hash::Digest::parse(k_digest)));
  f.client.expect_push(f.repository);
  CHECK(f.client.head_manifest(f.repository, "1"));
  for (const std::string& line : f.lines()) CHECK(line.find("reg.example") != std::string::npos);
}

TEST_CASE("a client that does not pull knows no mirrors") {
  RegistryOptions options = routed();
  options.pull_by_routes = false;
  RegistryFixture f(options);
  f.http.next("HEAD " + k_origin + "manifests/1", manifest());
  CHECK(f.client.head_manifest(f.repository, "1"));
}

TEST_CASE("a blocked registry is not asked, its mirrors are") {
  const Warnings warnings;
  RegistryFixture f(routed({{"mirror.example/hub"}}, true));
  f.http.next("GET " + k_mirror + "manifests/1", manifest());
  CHECK(f.client.get_manifest(f.repository, "1"));
  CHECK_THROWS_WITH_AS(f.client.expect_push(f.repository), "reg.example/team/app is blocked by r.conf:1:1",
                       diag::UsageError);
  CHECK_THROWS_AS(f.client.has_blob(f.repository, hash::Digest::parse(k_digest)), diag::UsageError);
  RegistryFixture closed(routed({}, true));
  CHECK_THROWS_AS(closed.client.get_manifest(closed.repository, "1"), diag::UsageError);
  CHECK(closed.lines().empty());
}

TEST_CASE("an insecure registry's own token server is as insecure, and no other") {
  for (const bool own : {true, false}) {
    const Warnings warnings;
    RegistryFixture f(routed({{"mirror.example/hub", true}}));
    const std::string realm = own ? "https://mirror.example/token" : "https://auth.mirror.example/token";
    f.http.next("GET https://mirror.example/v2/", {.status = 401});
    f.http.next("GET " + k_mirror + "manifests/1",
                {.status = 401, .headers = {{"WWW-Authenticate", "Bearer realm=\"" + realm + "\""}}});
    f.http.next("GET " + realm + "?scope=repository%3Ahub%2Fteam%2Fapp%3Apull", {.body = R"({"token":"T"})"});
    f.http.next("GET " + k_mirror + "manifests/1", manifest());
    CHECK(f.client.get_manifest(f.repository, "1"));
    CHECK(f.request(2).tls->verify != own);
  }
}

TEST_CASE("each mirror is reached with its own credentials and its own say on TLS") {
  RegistryFixture f(routed({{"mirror.example/hub", true}}), {{"reg.example", {"ada", "secret", {}}}});
  const Warnings warnings;
  const FakeAnswer challenge{.status = 401, .headers = {{"WWW-Authenticate", "Basic realm=\"x\""}}};
  f.http.next("GET https://mirror.example/v2/", {.status = 401});
  f.http.next("GET " + k_mirror + "manifests/1", challenge);
  f.http.next("GET " + k_origin + "manifests/1", challenge);
  f.http.next("GET " + k_origin + "manifests/1", manifest());
  CHECK(f.client.get_manifest(f.repository, "1"));
  for (const auto& sent : f.http.requests()) {
    const bool origin = sent.url.find("reg.example") != std::string::npos;
    CHECK(sent.tls->verify == origin);
    if (!origin) CHECK(sent.header("Authorization").empty());
  }
  CHECK(!f.request(3).header("Authorization").empty());
}

}  // namespace
}  // namespace airgap::registry
