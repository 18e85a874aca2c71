#include "common/image/manifest.hpp"

#include <doctest/doctest.h>

#include "common/diag/error.hpp"
#include "common/image/media_type.hpp"

namespace airgap::image {
namespace {

const std::string k_oci(k_oci_manifest);
const std::string k_docker(k_docker_manifest);
const std::string k_empty_json = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";

std::string digest(char fill) {
  return "sha256:" + std::string(64, fill);
}

std::string descriptor(const std::string& type, const std::string& digest_text, const std::string& size,
                       const std::string& more = "") {
  return R"({"mediaType":")" + type + R"(","digest":")" + digest_text + R"(","size":)" + size + more + "}";
}

const std::string k_config = descriptor(std::string(k_oci_config), digest('c'), "7");
const std::string k_layer = descriptor("application/vnd.oci.image.layer.v1.tar+gzip", digest('1'), "10");
const std::string k_child =
    descriptor(k_oci, digest('2'), "20", R"(,"platform":{"architecture":"amd64","os":"linux"})");

std::string media_type(std::string_view type) {
  return R"("mediaType":")" + std::string(type) + "\",";
}

std::string manifest(const std::string& type, const std::string& layers,
                     const std::string& config = k_config) {
  return R"({"schemaVersion":2,)" + type + R"("config":)" + config + R"(,"layers":)" + layers + "}";
}

std::string index(const std::string& type, const std::string& children, const std::string& more = "") {
  return R"({"schemaVersion":2,)" + type + R"("manifests":)" + children + more + "}";
}

TEST_CASE("an image manifest gives its config and layers") {
  const std::string text = R"({"schemaVersion":2,)" + media_type(k_oci_manifest) +
                           R"("artifactType":"a/b","config":)" + k_config + R"(,"layers":[)" + k_layer + "," +
                           k_layer + R"(],"subject":)" + k_child + R"(,"annotations":{"k":"v"}})";
  const ParsedManifest parsed = parse_manifest(text, "", "");
  REQUIRE(parsed.image() != nullptr);
  const Manifest& image = *parsed.image();
  CHECK(parsed.media_type == k_oci_manifest);
  CHECK(image.config->digest.str() == digest('c'));
  CHECK(image.layers.size() == 2);
  CHECK(image.blobs().size() == 3);
  CHECK(image.blobs().front() == *image.config);
  CHECK(image.subject->digest.str() == digest('2'));
  CHECK(image.artifact_type == "a/b");
  CHECK(image.annotations.at("k") == "v");
  CHECK(image.is_runnable());
}

TEST_CASE("an index gives its children, of types that are not known as well") {
  const std::string opaque = descriptor("application/vnd.future+json", digest('3'), "5");
  const ParsedManifest parsed =
      parse_manifest(index(media_type(k_oci_index), "[" + k_child + "," + opaque + "]"), "", "");
  REQUIRE(parsed.index() != nullptr);
  CHECK(parsed.index()->manifests.size() == 2);
  CHECK(parsed.index()->manifests[0].platform->str() == "linux/amd64");
  CHECK_FALSE(manifest_kind(parsed.index()->manifests[1].media_type));
}

TEST_CASE("unusual but legal documents are taken") {
  CHECK(parse_manifest(manifest("", "[]"), "", "").image()->layers.empty());
  CHECK(parse_manifest(manifest("", "null"), "", "").image()->layers.empty());
  CHECK(parse_manifest(index("", "[]"), "", "").index()->manifests.empty());
  CHECK(parse_manifest(index("", "null"), "", "").index()->manifests.empty());
  const std::string twice = "[" + k_child + "," + k_child + "]";
  CHECK(parse_manifest(index("", twice), "", "").index()->manifests.size() == 2);

  const std::string chart = manifest(
      "", "[" + descriptor("application/vnd.cncf.helm.chart.content.v1.tar+gzip", digest('4'), "9") + "]",
      descriptor("application/vnd.cncf.helm.config.v1+json", digest('5'), "3"));
  CHECK_FALSE(parse_manifest(chart, k_oci, "").image()->is_runnable());
  const std::string signature = manifest(
      "", "[" + descriptor("application/vnd.dev.cosign.simplesigning.v1+json", digest('4'), "9") + "]");
  CHECK_FALSE(parse_manifest(signature, k_oci, "").image()->is_runnable());

  const std::string nothing =
      manifest("", "[" + descriptor(std::string(k_oci_empty), k_empty_json, "2") + "]",
               descriptor("application/vnd.x.config+json", k_empty_json, "2"));
  CHECK(parse_manifest(nothing, "", "").image()->layers.size() == 1);

  const std::string oras =
      "{" + media_type(k_artifact_manifest) + R"("artifactType":"a/b","blobs":[)" + k_layer + "]}";
  const ParsedManifest artifact = parse_manifest(oras, "", "");
  CHECK(artifact.image()->layers.size() == 1);
  CHECK_FALSE(artifact.image()->config);
  CHECK_FALSE(artifact.image()->is_runnable());
}

TEST_CASE("the type is what all that is said about it agrees on") {
  const std::string silent = manifest("", "[]");
  const std::string oci = manifest(media_type(k_oci_manifest), "[]");
  CHECK(parse_manifest(silent, "", "").media_type == k_oci_manifest);
  CHECK(parse_manifest(silent, k_docker, "").media_type == k_docker_manifest);
  CHECK(parse_manifest(silent, "", k_docker).media_type == k_docker_manifest);
  CHECK(parse_manifest(silent, "text/plain", k_oci).media_type == k_oci_manifest);
  CHECK(parse_manifest(oci, k_oci + "; charset=utf-8", k_oci).media_type == k_oci_manifest);
  CHECK(parse_manifest(oci, "text/plain; charset=utf-8", "").media_type == k_oci_manifest);
  CHECK(parse_manifest(oci, "application/json", "").media_type == k_oci_manifest);
  CHECK(parse_manifest(index("", "[]"), "", "").media_type == k_oci_index);

  struct Row {
    std::string bytes, content_type, expected;
    const char* why;
  };
  const Row k_table[] = {
      {oci, k_docker, "", "the media types differ: the document says '"},
      {oci, "", k_docker, "the descriptor that names it says 'application/vnd.docker"},
      {silent, k_docker, k_oci, "the server says 'application/vnd.docker"},
      {oci, "text/html", "", "the server says 'text/html'"},
      {silent, "text/html", "", "'text/html' is no type of a manifest"},
      {silent, "text/plain", "", "served as 'text/plain' and without a mediaType inside"},
      {silent, "application/json", "", "served as 'application/json' and without a mediaType inside"},
      {manifest(media_type(k_oci_config), "[]"), "", "", "is no type of a manifest or index"},
      {manifest(media_type(k_oci_index), "[]"), "", "", "\"manifests\" is missing"},
      {index(media_type(k_oci_manifest), "[]"), "", "", "\"config\" is missing"},
      {index("", "[]"), k_oci, "", "\"config\" is missing"},
      {R"({"schemaVersion":2})", "", "", "neither a mediaType nor the members"},
      {R"({"errors":[]})", "", "", "neither a mediaType nor the members"},
  };
  for (const auto& [bytes, content_type, expected, why] : k_table) {
    CAPTURE(bytes);
    CHECK_THROWS_WITH_AS(parse_manifest(bytes, content_type, expected), doctest::Contains(why),
                         diag::UnsafeError);
  }
}

TEST_CASE("documents that two readers would understand differently are refused") {
  struct Row {
    std::string bytes;
    const char* why;
  };
  const std::string one_layer = "[" + k_layer + "]";
  const Row k_table[] = {
      {index(media_type(k_oci_index), "[]", R"(,"layers":[])"), "both \"manifests\" and \"layers\""},
      {index("", "[]", R"(,"config":)" + k_config), "both \"manifests\" and \"config\""},
      {index("", "[]", R"(,"fsLayers":[])"), "both \"manifests\" and \"fsLayers\""},
      {index("", "[]", R"(,"Layers":[])"), "\"Layers\" is ambiguous"},
      {index("", "[]", R"(,"FSLAYERS":null)"), "\"FSLAYERS\" is ambiguous"},
      {manifest("", "[]").insert(1, R"("Manifests":[],)"), "\"Manifests\" is ambiguous"},
      {manifest("", "[]").insert(1, "\"manife\xc5\xbfts\":[],"), "is ambiguous"},
      {manifest(media_type(k_oci_manifest) + media_type(k_docker_manifest), "[]"),
       "duplicate member \"mediaType\""},
      {manifest("", "[]") + "{}", "not valid JSON"},
      {manifest("", "[" + k_layer + "," +
                        descriptor("application/vnd.oci.image.layer.v1.tar+gzip", digest('1'), "11") + "]"),
       "/layers/1: "},
      {manifest("", "[" + k_layer + "," + descriptor("application/other", digest('1'), "10") + "]"),
       "is listed as"},
      {manifest("", "[]", descriptor("a/b", digest('1'), "1"))
           .insert(1, R"("subject":)" + descriptor("a/b", digest('1'), "2") + ","),
       "is listed with 1 bytes and with 2 bytes"},
      {manifest("", R"([{"mediaType":"a/b","digest":"sha256:../x","size":1}])"),
       "/layers/0/digest: bad digest"},
      {manifest("", "{}"), "/layers: expected an array"},
      {manifest("", "[]", "null"), "/config: expected a descriptor"},
      {"[]", "a manifest is an object"},
      {"<html></html>", "not valid JSON"},
      {"", "not valid JSON"},
      {R"({"schemaVersion":3,"config":null,"layers":[]})", "/schemaVersion: expected 2, found 3"},
      {"{" + media_type(k_artifact_manifest) + R"("layers":[]})", "has \"blobs\", not \"layers\""},
  };
  for (const auto& [bytes, why] : k_table) {
    CAPTURE(bytes);
    CHECK_THROWS_WITH_AS(parse_manifest(bytes, "", ""), doctest::Contains(why), diag::UnsafeError);
  }
}

TEST_CASE("schema 1 is refused by name, whatever tells it") {
  const std::string type = "application/vnd.docker.distribution.manifest.v1+prettyjws";
  CHECK_THROWS_WITH_AS(
      parse_manifest(R"({"schemaVersion":1,"fsLayers":[],"history":[]})", "application/json", ""),
      "unsupported legacy format (schema 1)", diag::UnsafeError);
  CHECK_THROWS_WITH_AS(parse_manifest(R"({"schemaVersion":1,"name":"x"})", "", ""),
                       doctest::Contains("schema 1"), diag::UnsafeError);
  CHECK_THROWS_WITH_AS(parse_manifest("{}", type, ""), doctest::Contains("schema 1"), diag::UnsafeError);
  CHECK_THROWS_WITH_AS(parse_manifest("{}", "", type), doctest::Contains("schema 1"), diag::UnsafeError);
}

TEST_CASE("inline data with other bytes is an integrity failure") {
  const std::string bad = descriptor("a/b", k_empty_json, "2", R"(,"data":"e30x")");
  CHECK_THROWS_AS(parse_manifest(manifest("", "[" + bad + "]"), "", ""), diag::IntegrityError);
}

TEST_CASE("size and number of descriptors are limited") {
  const std::string padded = manifest("", "[]") + std::string(k_max_manifest, ' ');
  CHECK_THROWS_WITH_AS(parse_manifest(padded, "", ""), doctest::Contains("over the limit of 4194304 bytes"),
                       diag::UnsafeError);
  std::string many = "[0";
  for (std::size_t i = 0; i < k_max_descriptors; ++i) many += ",0";
  CHECK_THROWS_WITH_AS(parse_manifest(index("", many + "]"), "", ""),
                       doctest::Contains("/manifests: 100001 entries, and 100000 are the limit"),
                       diag::UnsafeError);
}

TEST_CASE(
    "an index of chosen children keeps type, annotations and subject, and has the same bytes every time") {
  const std::string text = R"({"schemaVersion":2,)" + media_type(k_docker_list) + R"("manifests":[)" +
                           k_child + "," + descriptor(k_oci, digest('3'), "5") + R"(],"subject":)" + k_layer +
                           R"(,"annotations":{"b":"2","a":"1"}})";
  const Index original = *parse_manifest(text, "", "").index();
  const std::vector<Descriptor> chosen{original.manifests[0]};
  const std::string written = write_index(original, chosen);
  CHECK(written == R"({"schemaVersion":2,)" + media_type(k_docker_list) + R"("manifests":[)" + k_child +
                       R"(],"subject":)" + k_layer + R"(,"annotations":{"a":"1","b":"2"}})");
  CHECK(written == write_index(original, chosen));
  Index expected = original;
  expected.manifests = chosen;
  CHECK(*parse_manifest(written, "", original.media_type).index() == expected);
}

}  // namespace
}  // namespace airgap::image
