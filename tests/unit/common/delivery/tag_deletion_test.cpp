#include "common/delivery/tag_deletion.hpp"

#include "tests/unit/common/delivery/answering_registry.hpp"

namespace airgap::delivery {
namespace {

using test::AnsweringRegistry;

/// Deletes manifests by digest with `of_digests`, tags with `of_tags`; the rest goes well.
AnsweringRegistry::Answer deleting(int of_tags, int of_digests) {
  return [=](const std::string& line) -> test::FakeAnswer {
    if (line.starts_with("DELETE ")) {
      return {.status = line.find("manifests/sha256:") != std::string::npos ? of_digests : of_tags};
    }
    return {.status = line.starts_with("PUT ") ? 201 : 200};
  };
}

std::vector<std::string> of_manifests(const AnsweringRegistry& registry, std::string_view method) {
  std::vector<std::string> references;
  for (const std::string& line : registry.lines()) {
    const std::size_t at = line.find("/manifests/");
    if (line.starts_with(method) && at != std::string::npos) references.push_back(line.substr(at + 11));
  }
  return references;
}

TEST_CASE("tags go where the registry deletes tags, and nothing is put there") {
  AnsweringRegistry registry(deleting(202, 202));
  delete_tags(registry.repository, {"1", "2"}, registry.client);
  CHECK(of_manifests(registry, "DELETE") == std::vector<std::string>{"1", "2"});
  CHECK(of_manifests(registry, "PUT").empty());
}

TEST_CASE("where it deletes manifests alone, the tags move to one of ours, which goes with them") {
  AnsweringRegistry registry(deleting(405, 202));
  delete_tags(registry.repository, {"1", "2"}, registry.client);
  const auto put = of_manifests(registry, "PUT");
  REQUIRE(put.size() == 3);
  const std::string& ours = put[0];
  CHECK(ours.starts_with("sha256:"));
  CHECK(put == std::vector<std::string>{ours, "1", "2"});
  // Tried out before the first tag moves, and at the end.
  CHECK(of_manifests(registry, "DELETE") == std::vector<std::string>{"1", ours, ours});
}

TEST_CASE("a registry that deletes nothing keeps its tags as they were") {
  AnsweringRegistry registry(deleting(405, 405));
  CHECK_THROWS_AS(delete_tags(registry.repository, {"1", "2"}, registry.client), diag::Error);
  const auto put = of_manifests(registry, "PUT");
  REQUIRE(put.size() == 1);
  CHECK(put[0].starts_with("sha256:"));
}

}  // namespace
}  // namespace airgap::delivery
