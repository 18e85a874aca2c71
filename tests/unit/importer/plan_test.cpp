#include "importer/plan.hpp"

#include <doctest/doctest.h>

#include "common/hash/hasher.hpp"
#include "common/image/index.hpp"
#include "common/image/media_type.hpp"

using namespace airgap;
using importer::make_plan;

namespace {

image::Descriptor blob(const std::string& content, std::string_view type) {
  return {std::string(type), hash::sha256_of(content), content.size()};
}

const registry::Repository k_a{"r.example", "team/a"};
const registry::Repository k_b{"r.example", "team/b"};

importer::Placement placement(const registry::Repository& where, const std::string& manifest,
                              const std::vector<std::string>& layers) {
  const auto bytes = std::make_shared<const std::string>(manifest);
  const image::Descriptor root = blob(manifest, image::k_oci_manifest);
  transport::ImageGraph graph;
  graph.manifests.push_back({root, bytes});
  for (const std::string& layer : layers) graph.layers.push_back(blob(layer, "application/octet-stream"));
  bundle::Image described{.name = image::Reference::parse("src.example/" + where.path + ":1"),
                          .digest = root.digest,
                          .media_type = root.media_type,
                          .size = root.size,
                          .source_digest = root.digest,
                          .platforms = {},
                          .bytes = 0,
                          .target = where.path + ":1",
                          .subject = {},
                          .platform_choice = "all",
                          .unique_bytes = 0};
  return {std::move(described),
          {.registry = where.registry, .repository = where.path, .tag = "1"},
          where,
          std::move(graph)};
}

std::vector<bundle::Blob> order_of(const std::vector<std::string>& layers) {
  std::vector<bundle::Blob> order;
  for (const std::string& layer : layers) {
    order.push_back({hash::sha256_of(layer), layer.size(), bundle::BlobKind::layer, layer.size()});
  }
  return order;
}

}  // namespace

TEST_CASE("a blob that two repositories lack is sent once and mounted into the other") {
  const auto plan =
      make_plan({placement(k_a, "A", {"base"}), placement(k_b, "B", {"base"})}, {}, order_of({"base"}));
  REQUIRE(plan.blobs.size() == 1);
  CHECK(plan.blobs[0].upload());
  CHECK(plan.blobs[0].missing == std::vector{k_a, k_b});
  CHECK(plan.upload_bytes == 4);
  CHECK(plan.mount_bytes == 0);
}

TEST_CASE("a blob that one repository has is mounted, not sent") {
  importer::RegistryContent content;
  content.blobs.insert({k_b, hash::sha256_of("base")});
  const auto plan =
      make_plan({placement(k_a, "A", {"base"}), placement(k_b, "B", {"base"})}, content, order_of({"base"}));
  REQUIRE(plan.blobs.size() == 1);
  CHECK_FALSE(plan.blobs[0].upload());
  CHECK(plan.blobs[0].from == k_b);
  CHECK(plan.upload_bytes == 0);
  CHECK(plan.mount_bytes == 4);
}

TEST_CASE("a registry that has everything leaves nothing to do") {
  importer::RegistryContent content;
  content.blobs.insert({k_a, hash::sha256_of("base")});
  content.manifests.insert({k_a, hash::sha256_of("A")});
  const auto target = image::Reference{.registry = k_a.registry, .repository = k_a.path, .tag = "1"};
  content.tags.emplace(target, hash::sha256_of("A"));
  const auto plan = make_plan({placement(k_a, "A", {"base"})}, content, order_of({"base"}));
  CHECK(plan.nothing_to_do());
  CHECK(plan.present_bytes == 4);
}

TEST_CASE("a tag that stands for something else is planned with what it was before") {
  importer::RegistryContent content;
  const auto target = image::Reference{.registry = k_a.registry, .repository = k_a.path, .tag = "1"};
  content.tags.emplace(target, hash::sha256_of("older"));
  const auto plan = make_plan({placement(k_a, "A", {})}, content, {});
  REQUIRE(plan.tags.size() == 1);
  CHECK_FALSE(plan.tags[0].unchanged());
  CHECK(plan.tags[0].before == hash::sha256_of("older"));
}

TEST_CASE("children come before the index that lists them, however deep") {
  const std::string child = R"({"schemaVersion":2})";
  const auto document = [](const std::string& bytes, std::string_view type) {
    return transport::ManifestDocument{blob(bytes, type), std::make_shared<const std::string>(bytes)};
  };
  const auto index_over = [](const image::Descriptor& child_descriptor) {
    image::Index index{.media_type = std::string(image::k_oci_index)};
    index.manifests.push_back(child_descriptor);
    return image::write_index(index, index.manifests);
  };
  importer::Placement nested = placement(k_a, "root", {});
  nested.graph.manifests.clear();
  nested.graph.manifests.push_back(document(child, image::k_oci_manifest));
  for (int depth = 0; depth < 2; ++depth) {
    const auto& below = nested.graph.manifests.back().descriptor;
    nested.graph.manifests.push_back(document(index_over(below), image::k_oci_index));
  }
  const auto plan = make_plan({nested}, {}, {});
  REQUIRE(plan.manifests.size() == 3);
  for (std::size_t i = 0; i < 3; ++i) CHECK(plan.manifests[i].level == i);
}
