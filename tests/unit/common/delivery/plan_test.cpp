#include "common/delivery/plan.hpp"

#include <doctest/doctest.h>

#include "common/hash/hasher.hpp"
#include "common/image/index.hpp"
#include "common/image/media_type.hpp"

using namespace airgap;
using delivery::make_plan;

namespace {

image::Descriptor blob(const std::string& content, std::string_view type) {
  return {std::string(type), hash::sha256_of(content), content.size()};
}

const registry::Repository k_a{"r.example", "team/a"};
const registry::Repository k_b{"r.example", "team/b"};

delivery::Placement placement(const registry::Repository& where, const std::string& manifest,
                              const std::vector<std::string>& layers) {
  const auto bytes = std::make_shared<const std::string>(manifest);
  const image::Descriptor root = blob(manifest, image::k_oci_manifest);
  transport::ImageGraph graph;
  graph.manifests.push_back({root, bytes});
  for (const std::string& layer : layers) graph.layers.push_back(blob(layer, "application/octet-stream"));
  return {.name = image::Reference::parse("src.example/" + where.path + ":1"),
          .digest = root.digest,
          .bytes = 0,
          .subject = {},
          .target = {.registry = where.registry, .repository = where.path, .tag = "1"},
          .repository = where,
          .graph = std::move(graph)};
}

}  // namespace

TEST_CASE("a blob that two repositories lack is sent once and mounted into the other") {
  const auto plan = make_plan({placement(k_a, "A", {"base"}), placement(k_b, "B", {"base"})}, {});
  REQUIRE(plan.blobs.size() == 1);
  CHECK(plan.blobs[0].upload());
  CHECK(plan.blobs[0].missing == std::vector{k_a, k_b});
  CHECK(plan.upload_bytes == 4);
  CHECK(plan.mount_bytes == 4);
  CHECK(plan.step_bytes() == 4);
}

TEST_CASE("each image is planned with what is sent for it, mounted for it and there already") {
  struct Row {
    std::vector<registry::Repository> have;  // "base" already
    std::vector<delivery::ImageBytes> expected;
    std::uint64_t mounted;
  };
  const std::vector<Row> rows{
      {{}, {{8, 0, 0}, {4, 0, 0}, {2, 4, 0}}, 4},
      {{k_b}, {{4, 4, 0}, {0, 4, 0}, {2, 0, 4}}, 4},
      {{k_a}, {{4, 0, 4}, {0, 0, 4}, {2, 4, 0}}, 4},
      {{k_a, k_b}, {{4, 0, 4}, {0, 0, 4}, {2, 0, 4}}, 0},
      {{{"r.example", "other"}}, {{4, 4, 0}, {0, 4, 0}, {2, 4, 0}}, 8},
  };
  for (const Row& row : rows) {
    CAPTURE(&row - rows.data());
    delivery::RegistryContent content;
    const hash::Digest base = hash::sha256_of("base");
    for (const auto& where : row.have) {
      content.blobs.insert({where, base});
      if (where.path == "other") content.elsewhere.emplace(base, where);
    }
    const auto plan = make_plan({placement(k_a, "A", {"base", "only"}), placement(k_a, "A2", {"base"}),
                                 placement(k_b, "B", {"base", "bb"})},
                                content);
    const auto bytes = plan.bytes_by_image();
    REQUIRE(bytes.size() == row.expected.size());
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      CAPTURE(i);
      CHECK(bytes[i].upload == row.expected[i].upload);
      CHECK(bytes[i].mount == row.expected[i].mount);
      CHECK(bytes[i].present == row.expected[i].present);
    }
    CHECK(plan.mount_bytes == row.mounted);
  }
}

TEST_CASE("a blob that one repository has is mounted, not sent") {
  delivery::RegistryContent content;
  content.blobs.insert({k_b, hash::sha256_of("base")});
  const auto plan = make_plan({placement(k_a, "A", {"base"}), placement(k_b, "B", {"base"})}, content);
  REQUIRE(plan.blobs.size() == 1);
  CHECK(plan.there_bytes == 4);    // in b
  CHECK(plan.present_bytes == 0);  // not everywhere
  CHECK_FALSE(plan.blobs[0].upload());
  CHECK(plan.blobs[0].from == k_b);
  CHECK(plan.upload_bytes == 0);
  CHECK(plan.mount_bytes == 4);
}

TEST_CASE("an image that is there is not touched by a layer that goes to another repository") {
  delivery::RegistryContent content;
  content.blobs.insert({k_a, hash::sha256_of("base")});
  content.manifests.insert({k_a, hash::sha256_of("A")});
  const auto target = image::Reference{.registry = k_a.registry, .repository = k_a.path, .tag = "1"};
  content.tags.emplace(target, hash::sha256_of("A"));
  const auto plan = make_plan({placement(k_a, "A", {"base"}), placement(k_b, "B", {"base"})}, content);
  CHECK(plan.touched() == std::vector{false, true});
}

TEST_CASE("a registry that has everything leaves nothing to do") {
  delivery::RegistryContent content;
  content.blobs.insert({k_a, hash::sha256_of("base")});
  content.manifests.insert({k_a, hash::sha256_of("A")});
  const auto target = image::Reference{.registry = k_a.registry, .repository = k_a.path, .tag = "1"};
  content.tags.emplace(target, hash::sha256_of("A"));
  const auto plan = make_plan({placement(k_a, "A", {"base"})}, content);
  CHECK(plan.nothing_to_do());
  CHECK(plan.present_bytes == 4);
}

TEST_CASE("a tag that stands for something else is planned with what it was before") {
  delivery::RegistryContent content;
  const auto target = image::Reference{.registry = k_a.registry, .repository = k_a.path, .tag = "1"};
  content.tags.emplace(target, hash::sha256_of("older"));
  const auto plan = make_plan({placement(k_a, "A", {})}, content);
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
  delivery::Placement nested = placement(k_a, "root", {});
  nested.graph.manifests.clear();
  nested.graph.manifests.push_back(document(child, image::k_oci_manifest));
  for (int depth = 0; depth < 2; ++depth) {
    const auto& below = nested.graph.manifests.back().descriptor;
    nested.graph.manifests.push_back(document(index_over(below), image::k_oci_index));
  }
  const auto plan = make_plan({nested}, {});
  REQUIRE(plan.manifests.size() == 3);
  for (std::size_t i = 0; i < 3; ++i) CHECK(plan.manifests[i].level == i);
}

TEST_CASE("large blobs are sent first") {
  const auto plan = make_plan({placement(k_a, "A", {"xx", "yyyy", "zzz"})}, {});
  REQUIRE(plan.blobs.size() == 3);
  for (std::size_t i = 0; i < 3; ++i) CHECK(plan.blobs[i].blob.size == 4 - i);
}

namespace {

/// Accompanies the image whose manifest is `subject`.
delivery::Placement signature_of(const std::string& subject, const registry::Repository& where) {
  const std::string manifest = R"({"schemaVersion":2,"mediaType":")" + std::string(image::k_oci_manifest) +
                               R"(","config":{"mediaType":"application/vnd.oci.empty.v1+json","digest":")" +
                               hash::sha256_of("{}").str() +
                               R"(","size":2},"layers":[],"subject":{"mediaType":")" +
                               std::string(image::k_oci_manifest) + R"(","digest":")" +
                               hash::sha256_of(subject).str() + R"(","size":1}})";
  delivery::Placement signature = placement(where, manifest, {});
  signature.subject = hash::sha256_of(subject);
  signature.target.tag.reset();
  signature.target.digest = signature.digest;
  return signature;
}

}  // namespace

TEST_CASE("a list of referrers is touched when the registry needs it and something of it may be missing") {
  struct Row {
    bool api;  // the registry keeps the lists itself
    bool has_referrer;
    bool has_list;
    bool has_tag;  // of the subject
    bool planned;
  };
  const std::vector<Row> rows{
      {false, false, false, false, true}, {false, false, true, true, true}, {false, true, false, true, true},
      {false, true, true, true, false},   {false, true, true, false, true},  // stopped before the tags
      {true, false, false, false, false}, {true, true, false, true, false},
  };
  const delivery::Placement subject = placement(k_a, "A", {});
  const delivery::Placement signature = signature_of("A", k_a);
  for (const Row& row : rows) {
    CAPTURE(&row - rows.data());
    delivery::RegistryContent content;
    content.keeps_referrers = row.api;
    content.manifests.insert({k_a, subject.digest});
    if (row.has_referrer) content.manifests.insert({k_a, signature.digest});
    if (row.has_list) content.referrers_tags.insert({k_a, subject.digest});
    if (row.has_tag) content.tags.emplace(subject.target, subject.digest);
    const auto plan = make_plan({subject, signature}, content);
    REQUIRE(plan.referrers.size() == (row.planned ? 1 : 0));
    if (!row.planned) continue;
    CHECK(plan.referrers[0].subject == subject.digest);
    CHECK(plan.referrers[0].exists == row.has_list);
    CHECK(plan.referrers[0].referrers[0].digest == signature.digest);
    CHECK(plan.touched()[1]);
  }
}

TEST_CASE("a list of referrers that travels as an image is not made here") {
  delivery::Placement list = placement(k_a, "list", {});
  list.target.tag = "sha256-" + hash::sha256_of("A").hex();
  const auto plan = make_plan({signature_of("A", k_a), list}, {});
  CHECK(plan.referrers.empty());
}

TEST_CASE("a blob that the sender does not have is mounted from wherever the registry has it") {
  const hash::Digest base = hash::sha256_of("base");
  const delivery::RequiredBlobs required{.blobs = {{base, std::nullopt}}};
  delivery::RegistryContent content;
  std::uint64_t mounted = 0;
  SUBCASE("in a repository of the plan") {
    content.blobs.insert({k_b, base});
    mounted = 4;
  }
  SUBCASE("elsewhere") {
    content.elsewhere.emplace(base, registry::Repository{"r.example", "other"});
    mounted = 8;
  }
  const auto plan =
      make_plan({placement(k_a, "A", {"base", "new"}), placement(k_b, "B", {"base"})}, content, required);
  CHECK(plan.missing.empty());
  CHECK(plan.upload_bytes == 3);
  CHECK(plan.mount_bytes == mounted);
  for (const delivery::BlobStep& step : plan.blobs) {
    CHECK(step.carried == (step.blob.digest != base));
    CHECK(step.upload() == step.carried);
  }
}

TEST_CASE("a blob that nobody has is missing, with the images that need it") {
  const hash::Digest base = hash::sha256_of("base");
  const auto plan = make_plan({placement(k_a, "A", {"base"}), placement(k_b, "B", {"new"})}, {},
                              {.blobs = {{base, registry::Repository{"r.example", "other"}}}});
  REQUIRE(plan.missing.size() == 1);
  CHECK(plan.missing[0].blob.digest == base);
  CHECK(plan.missing[0].images == std::vector<std::size_t>{0});
  CHECK(plan.blobs.size() == 1);
  CHECK_FALSE(plan.nothing_to_do());
}

TEST_CASE(
    "what comes from a repository of the same registry is mounted from there, from elsewhere it is sent") {
  delivery::Placement copy = placement(k_a, "A", {"base"});
  copy.from = registry::Repository{"r.example", "source"};
  auto plan = make_plan({copy}, {});
  REQUIRE(plan.blobs.size() == 1);
  CHECK(plan.blobs[0].from == copy.from);
  CHECK(plan.mount_bytes == 4);
  copy.from->registry = "elsewhere.example";
  plan = make_plan({copy}, {});
  CHECK(plan.blobs[0].upload());
}

TEST_CASE("an image in place needs nothing but the list of referrers that it stands in") {
  delivery::Placement signature = signature_of("A", k_a);
  signature.referrer = signature.graph.root().descriptor;
  signature.graph = {};
  delivery::RegistryContent content;
  content.manifests.insert({k_a, signature.digest});
  const auto plan = make_plan({signature}, content);
  CHECK(plan.manifests.empty());
  REQUIRE(plan.referrers.size() == 1);
  CHECK(plan.referrers[0].subject == hash::sha256_of("A"));
  CHECK(plan.referrers[0].referrers[0].digest == signature.digest);
  content.referrers_tags.insert({k_a, hash::sha256_of("A")});
  CHECK(make_plan({signature}, content).nothing_to_do());
}
