#include "common/image/descriptor.hpp"

#include <doctest/doctest.h>

#include "common/diag/error.hpp"

namespace airgap::image {
namespace {

const std::string k_hello = "sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";

Descriptor parse(const std::string& text) {
  const json::Document document = json::Document::parse(text);
  return Descriptor::parse(document.root());
}

std::string with_members(const std::string& more) {
  return R"({"mediaType":"application/x","digest":")" + k_hello + R"(","size":5)" + more + "}";
}

TEST_CASE("a descriptor is read and written without loss") {
  const std::string text = with_members(
      R"(,"urls":["https://example.com/l"],"annotations":{"B":"2","b":"1"},"data":"aGVsbG8=",)"
      R"("platform":{"architecture":"amd64","os":"windows","os.version":"10.0","os.features":["win32k"],"variant":"v2"},)"
      R"("artifactType":"application/y")");
  const Descriptor descriptor = parse(text);
  CHECK(descriptor.media_type == "application/x");
  CHECK(descriptor.digest.str() == k_hello);
  CHECK(descriptor.size == 5);
  CHECK(descriptor.urls.front() == "https://example.com/l");
  CHECK(descriptor.data == "hello");
  CHECK(descriptor.platform->str() == "windows/amd64/v2");
  CHECK(descriptor.artifact_type == "application/y");
  json::Writer writer(json::Writer::Style::compact);
  descriptor.write(writer);
  CHECK(writer.str() == text);
}

TEST_CASE("optional members may be absent, null or unknown") {
  const Descriptor descriptor =
      parse(with_members(R"(,"urls":null,"annotations":null,"platform":null,"new":[1])"));
  CHECK(descriptor ==
        Descriptor{.media_type = "application/x", .digest = hash::Digest::parse(k_hello), .size = 5});
}

TEST_CASE("sha512 and blobs of no bytes are legal") {
  const std::string digest = "sha512:" + std::string(128, 'a');
  CHECK(parse(R"({"mediaType":"a/b","digest":")" + digest + R"(","size":0})").digest.str() == digest);
}

TEST_CASE("a malformed descriptor is refused with the member at fault") {
  struct Row {
    std::string text;
    const char* why;
  };
  const Row k_table[] = {
      {"[]", "document: expected an object"},
      {R"({"digest":"x","size":1})", "\"mediaType\" is missing"},
      {R"({"mediaType":"a/b","size":1})", "\"digest\" is missing"},
      {R"({"mediaType":"a/b","digest":")" + k_hello + "\"}", "\"size\" is missing"},
      {R"({"mediaType":"a/b\r\nX: y","digest":")" + k_hello + R"(","size":1})",
       "/mediaType: this is not a media type"},
      {R"({"mediaType":"a/b","digest":"sha256:../../etc/passwd","size":1})", "/digest: bad digest"},
      {R"({"mediaType":"a/b","digest":"md5:d41d8cd98f00b204e9800998ecf8427e","size":1})",
       "neither sha256 nor sha512"},
      {R"({"mediaType":"a/b","digest":"SHA256:)" + std::string(64, 'a') + R"(","size":1})",
       "/digest: bad digest"},
      {R"({"mediaType":"a/b","digest":"sha256:)" + std::string(64, 'A') + R"(","size":1})",
       "/digest: bad digest"},
      {R"({"mediaType":"a/b","digest":")" + k_hello + R"(","size":-1})",
       "/size: expected an unsigned integer"},
      {with_members(R"(,"Digest":"x")"), "differ only in letter case"},
      {with_members(R"(,"URLs":["file:///etc/passwd"])"), "\"URLs\" is ambiguous"},
      {with_members(R"(,"urls":"x")"), "/urls: expected an array"},
      {with_members(R"(,"annotations":{"a":1})"), "/annotations/a: expected a string"},
      {with_members(R"(,"data":"***")"), "/data: this is not base64"},
      {with_members(R"(,"platform":{"os":7})"), "/platform/os: expected a string"},
  };
  for (const auto& [text, why] : k_table) {
    CAPTURE(text);
    CHECK_THROWS_WITH_AS(parse(text), doctest::Contains(why), diag::FormatError);
  }
}

TEST_CASE("inline data that is not what was declared is an integrity failure") {
  CHECK_THROWS_WITH_AS(parse(with_members(R"(,"data":"aGVsbG8h")")),
                       doctest::Contains("has 6 bytes, and 5 are declared"), diag::IntegrityError);
  CHECK_THROWS_WITH_AS(parse(with_members(R"(,"data":"aGVsbE8=")")),
                       doctest::Contains(("expected " + k_hello).c_str()), diag::IntegrityError);
}

}  // namespace
}  // namespace airgap::image
