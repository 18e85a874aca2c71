#include "common/lookaside/signature_store.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "common/diag/error.hpp"
#include "common/hash/hasher.hpp"
#include "tests/support/fake_http_client.hpp"
#include "tests/support/temp_dir.hpp"

using namespace airgap;
using namespace airgap::lookaside;

TEST_CASE("a directory for signatures is an absolute file URL") {
  CHECK(directory_of_url("file:///var/lib/sigstore") == "/var/lib/sigstore");
  for (const char* url :
       {"file://host/var", "file:relative", "https://host/x", "/var/lib", "file:///a%20b", ""}) {
    CAPTURE(url);
    CHECK_THROWS_AS(directory_of_url(url), diag::UsageError);
  }
}

namespace {

const hash::Digest k_manifest = hash::sha256_of("manifest");
const image::Reference k_app{.registry = "quay.io", .repository = "org/app", .tag = "1"};

LookasideConf conf_of(const std::string& url) {
  LookasideConf conf;
  conf.add("default-docker:\n  lookaside: " + url + "\n", "a.yaml");
  return conf;
}

http::OriginSettings any_origin(const http::Origin&) {
  return {};
}

}  // namespace

TEST_CASE("signatures are read by number until one is not there") {
  const LookasideConf conf = conf_of("https://sigs.example/base");
  const std::string place =
      "GET https://sigs.example/base/org/app@sha256=" + k_manifest.hex() + "/signature-";
  test::FakeHttpClient client;
  client.next(place + "1", {.body = "one"})
      .next(place + "2", {.body = "two"})
      .next(place + "3", {.status = 404});
  CHECK(SignatureReader(conf, client, any_origin).read(k_app, k_manifest) ==
        std::vector<std::string>{"one", "two"});
}

TEST_CASE("a lookaside that gives neither a signature nor 404 is an error, not an end") {
  const LookasideConf conf = conf_of("https://sigs.example");
  const std::string place = "GET https://sigs.example/org/app@sha256=" + k_manifest.hex() + "/signature-1";
  for (const int status : {401, 403, 500}) {
    CAPTURE(status);
    test::FakeHttpClient client;
    client.next(place, {.status = status});
    CHECK_THROWS_AS(SignatureReader(conf, client, any_origin).read(k_app, k_manifest), diag::NetworkError);
  }
  test::FakeHttpClient large;
  large.next(place, {.body = std::string(k_max_signature + 1, 'x')});
  CHECK_THROWS_AS(SignatureReader(conf, large, any_origin).read(k_app, k_manifest), diag::UnsafeError);
}

TEST_CASE("a server with a signature under any number is left in the end") {
  const LookasideConf conf = conf_of("https://sigs.example");
  test::FakeHttpClient client;
  for (std::size_t i = 1; i <= k_max_signatures + 1; ++i) {
    client.next(
        "GET https://sigs.example/org/app@sha256=" + k_manifest.hex() + "/signature-" + std::to_string(i),
        {.body = "x"});
  }
  CHECK_THROWS_WITH_AS(SignatureReader(conf, client, any_origin).read(k_app, k_manifest),
                       doctest::Contains("more than 128 signatures"), diag::UnsafeError);
}

TEST_CASE("other schemes are no places for signatures") {
  for (const char* url : {"ftp://sigs.example", "sigs.example", "/var/lib/sigstore"}) {
    CAPTURE(url);
    const LookasideConf conf = conf_of(url);
    test::FakeHttpClient client;
    CHECK_THROWS_AS(SignatureReader(conf, client, any_origin).read(k_app, k_manifest), diag::UsageError);
  }
}

TEST_CASE("what is written to a directory is read from it again; fewer signatures replace more") {
  const test::TempDir temp;
  const LookasideConf conf = conf_of("file://" + temp.path("store"));
  test::FakeHttpClient nobody;
  const SignatureReader reader(conf, nobody, any_origin);
  CHECK(reader.read(k_app, k_manifest).empty());
  for (const std::vector<std::string>& signatures :
       {std::vector<std::string>{"one", "two", "three"}, std::vector<std::string>{"other"}}) {
    write_signatures(temp.path("store"), k_app, k_manifest, signatures);
    CHECK(reader.read(k_app, k_manifest) == signatures);
  }
  CHECK(reader.read(k_app, hash::sha256_of("another manifest")).empty());
}
