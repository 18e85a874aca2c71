#include "common/transport/image_graph.hpp"

#include <doctest/doctest.h>

#include <map>
#include <utility>

#include "common/diag/error.hpp"
#include "common/hash/hasher.hpp"
#include "common/image/media_type.hpp"

namespace airgap::transport {
namespace {

using image::Descriptor;

/// Documents by digest, with the builder's help made in the order children first.
class Documents : public ImageSource {
 public:
  std::string read_manifest(const Descriptor& wanted) override {
    ++reads;
    const auto found = m_bytes.find(wanted.digest);
    if (found == m_bytes.end()) throw diag::NetworkError("not there");
    return found->second;
  }
  std::unique_ptr<io::Source> open_blob(const Descriptor&, std::uint64_t) override { return nullptr; }

  Descriptor add(std::string_view type, std::string bytes) {
    Descriptor descriptor{
        .media_type = std::string(type), .digest = hash::sha256_of(bytes), .size = bytes.size()};
    m_bytes[descriptor.digest] = std::move(bytes);
    return descriptor;
  }
  int reads = 0;

 private:
  std::map<hash::Digest, std::string> m_bytes;
};

Descriptor blob(const std::string& bytes, std::string_view type = "application/vnd.oci.image.layer.v1.tar") {
  return {.media_type = std::string(type), .digest = hash::sha256_of(bytes), .size = bytes.size()};
}
Descriptor config(const std::string& bytes) {
  return blob(bytes, image::k_oci_config);
}

std::string json_of(const Descriptor& descriptor) {
  json::Writer writer(json::Writer::Style::compact);
  descriptor.write(writer);
  return writer.str();
}

std::string list_of(const std::vector<Descriptor>& descriptors) {
  std::string text;
  for (const Descriptor& descriptor : descriptors) text += (text.empty() ? "" : ",") + json_of(descriptor);
  return "[" + text + "]";
}

std::string manifest(const Descriptor& image_config, const std::vector<Descriptor>& layers,
                     const std::string& more = {}) {
  return R"({"schemaVersion":2,"mediaType":")" + std::string(image::k_oci_manifest) + R"(","config":)" +
         json_of(image_config) + R"(,"layers":)" + list_of(layers) + more + "}";
}

std::string index(const std::vector<Descriptor>& children) {
  return R"({"schemaVersion":2,"mediaType":")" + std::string(image::k_oci_index) + R"(","manifests":)" +
         list_of(children) + "}";
}

Descriptor on(Descriptor descriptor, const std::string& os, const std::string& architecture) {
  descriptor.platform = image::Platform{.os = os, .architecture = architecture};
  return descriptor;
}

TEST_CASE("a single image gives one manifest, its config and its layers, each once") {
  Documents documents;
  const Descriptor root =
      documents.add(image::k_oci_manifest, manifest(config("c"), {blob("l1"), blob("l2"), blob("l1")}));
  const ImageGraph graph = load_graph(documents, root);
  REQUIRE(graph.manifests.size() == 1);
  CHECK(graph.root().descriptor == root);
  CHECK(graph.configs == std::vector<Descriptor>{config("c")});
  CHECK(graph.layers == std::vector<Descriptor>{blob("l1"), blob("l2")});
  CHECK(graph.platforms.empty());
  CHECK(graph.bytes() == root.size + 1 + 2 + 2);
}

TEST_CASE("children come before their index, shared ones once, with the platforms their index says") {
  Documents documents;
  const Descriptor amd =
      documents.add(image::k_oci_manifest, manifest(config("ca"), {blob("base"), blob("a")}));
  const Descriptor arm =
      documents.add(image::k_oci_manifest, manifest(config("cb"), {blob("base"), blob("b")}));
  const Descriptor attestation = documents.add(
      image::k_oci_manifest, manifest(config("cx"), {blob("x", "application/vnd.in-toto+json")}));
  const Descriptor inner = documents.add(image::k_oci_index, index({on(arm, "linux", "arm64")}));
  const Descriptor root = documents.add(
      image::k_oci_index, index({on(amd, "linux", "amd64"), inner, on(attestation, "unknown", "unknown"),
                                 on(amd, "linux", "amd64"), on(arm, "linux", "arm64")}));
  const ImageGraph graph = load_graph(documents, root);
  std::vector<hash::Digest> order;
  for (const ManifestDocument& document : graph.manifests) order.push_back(document.descriptor.digest);
  CHECK(order ==
        std::vector<hash::Digest>{amd.digest, arm.digest, inner.digest, attestation.digest, root.digest});
  CHECK(graph.manifests.front().descriptor.platform ==
        image::Platform{.os = "linux", .architecture = "amd64"});
  CHECK(graph.layers.size() == 4);
  CHECK(graph.configs.size() == 3);
  REQUIRE(graph.platforms.size() == 2);
  CHECK(graph.platforms.at(0).architecture == "amd64");
  CHECK(graph.platforms.at(1).architecture == "arm64");
  CHECK(documents.reads == 5);
}

TEST_CASE("a child of an unknown type is carried as it is (R48)") {
  Documents documents;
  const Descriptor odd = documents.add("application/vnd.strange+json", "not even json");
  const Descriptor root = documents.add(image::k_oci_index, index({odd}));
  const ImageGraph graph = load_graph(documents, root);
  REQUIRE(graph.manifests.size() == 2);
  CHECK(*graph.manifests.front().bytes == "not even json");
  CHECK(graph.layers.empty());
}

TEST_CASE(
    "foreign layers are in, the subject is not followed, and a blob that is also a config is said once") {
  Documents documents;
  Descriptor foreign = blob("f", "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip");
  foreign.urls = {"https://example.test/f"};
  const Descriptor empty = blob("{}", image::k_oci_empty);
  const Descriptor root =
      documents.add(image::k_oci_manifest,
                    manifest(empty, {foreign, empty}, R"(,"subject":)" + json_of(blob("elsewhere"))));
  const ImageGraph graph = load_graph(documents, root);
  CHECK(graph.layers == std::vector<Descriptor>{foreign});
  CHECK(graph.configs == std::vector<Descriptor>{empty});
  CHECK(documents.reads == 1);
}

TEST_CASE("an image without layers, and one whose size is not known beforehand, are fine (R53)") {
  Documents documents;
  Descriptor root = documents.add(image::k_oci_manifest, manifest(config("{}"), {}));
  const std::uint64_t size = std::exchange(root.size, 0);
  CHECK(load_graph(documents, root).root().descriptor.size == size);
  const Descriptor none = documents.add(image::k_oci_index, index({}));
  CHECK(load_graph(documents, none).manifests.size() == 1);
}

TEST_CASE("one digest with two sizes, or as two kinds of manifest, is refused (R52)") {
  Documents documents;
  Descriptor layer = blob("l");
  const Descriptor one = documents.add(image::k_oci_manifest, manifest(config("c1"), {layer}));
  layer.size = 99;
  const Descriptor two = documents.add(image::k_oci_manifest, manifest(config("c2"), {layer}));
  CHECK_THROWS_AS(load_graph(documents, documents.add(image::k_oci_index, index({one, two}))),
                  diag::UnsafeError);

  Descriptor other_type = one;
  other_type.media_type = image::k_docker_manifest;
  const Descriptor inner = documents.add(image::k_oci_index, index({other_type}));
  CHECK_THROWS_AS(load_graph(documents, documents.add(image::k_oci_index, index({one, inner}))),
                  diag::UnsafeError);

  layer = blob("l", "application/x.other");
  const Descriptor three = documents.add(image::k_oci_manifest, manifest(config("c3"), {layer}));
  CHECK(load_graph(documents, documents.add(image::k_oci_index, index({one, three}))).layers.size() == 1);
}

TEST_CASE("nesting is bounded (R46)") {
  Documents documents;
  Descriptor root = documents.add(image::k_oci_manifest, manifest(config("c"), {}));
  for (int depth = 1; depth <= 8; ++depth) root = documents.add(image::k_oci_index, index({root}));
  CHECK(load_graph(documents, root).manifests.size() == 9);
  root = documents.add(image::k_oci_index, index({root}));
  CHECK_THROWS_WITH_AS(load_graph(documents, root), doctest::Contains("more than 8"), diag::UnsafeError);
}

TEST_CASE("the number of descriptors of one image is bounded (R47)") {
  Documents documents;
  std::vector<Descriptor> children;
  const std::vector<Descriptor> layers(10'000, blob("l"));
  for (int i = 0; i < 11; ++i) {
    children.push_back(documents.add(image::k_oci_manifest, manifest(config(std::to_string(i)), layers)));
  }
  const Descriptor root = documents.add(image::k_oci_index, index(children));
  CHECK_THROWS_WITH_AS(load_graph(documents, root), doctest::Contains("100000"), diag::UnsafeError);
}

TEST_CASE("a manifest that is malformed or missing ends it") {
  Documents documents;
  const Descriptor bad = documents.add(image::k_oci_manifest, "{}");
  CHECK_THROWS_AS(load_graph(documents, documents.add(image::k_oci_index, index({bad}))), diag::UnsafeError);
  CHECK_THROWS_AS(
      load_graph(documents, documents.add(image::k_oci_index, index({blob("gone", image::k_oci_manifest)}))),
      diag::NetworkError);
}

}  // namespace
}  // namespace airgap::transport
