#include "importer/missing.hpp"

#include <doctest/doctest.h>

#include <map>
#include <optional>

#include "common/diag/error.hpp"
#include "tests/unit/importer/placements.hpp"

using namespace airgap;
using namespace airgap::importer;
using testing::blob;
using testing::k_where;
using testing::placement;

namespace {

bundle::RequiredBlob required(const std::string& content, const std::string& repository) {
  return {hash::sha256_of(content), content.size(), bundle::BlobKind::layer, repository};
}

/// Of web and app, both of which need "shared"; "own" is app's.
delivery::Plan lacking() {
  delivery::Plan plan;
  plan.placements = {placement("team/web", {"shared"}), placement("team/app", {"shared", "own"})};
  plan.missing = {{blob("shared"), {0, 1}}, {blob("own"), {1}}};
  return plan;
}

diag::Error refusal(const std::string& written) {
  try {
    refuse_missing(lacking(), k_where, written);
  } catch (const diag::IntegrityError& error) {
    return error;
  }
}

}  // namespace

TEST_CASE("a required blob is looked for where the other side had it, below the prefix") {
  struct Row {
    image::RegistryTarget where;
    std::string repository;
    std::optional<registry::Repository> seen_in;
  };
  const std::string longest(image::k_max_repository - 3, 'a');
  for (const Row& row : {Row{k_where, "team/app", registry::Repository{"r.example", "in/team/app"}},
                         Row{{"r.example"}, "team/app", registry::Repository{"r.example", "team/app"}},
                         Row{k_where, "", std::nullopt},
                         Row{k_where, longest, registry::Repository{"r.example", "in/" + longest}},
                         Row{k_where, longest + "a", std::nullopt}}) {  // no registry takes such a name
    CAPTURE(row.repository);
    bundle::BundleInfo info;
    info.requires_ = {required("base", row.repository)};
    const std::map<hash::Digest, std::optional<registry::Repository>> expected{
        {hash::sha256_of("base"), row.seen_in}};
    CHECK(required_of(info, row.where, std::nullopt).blobs == expected);
  }
}

TEST_CASE("what a bundle requires nothing of is no delta") {
  const delivery::RequiredBlobs required = required_of({}, k_where, std::nullopt);
  CHECK(required.blobs.empty());
  CHECK(required.base.empty());
}

TEST_CASE("a want-list has each missing blob once, under one image that needs it, in the order of names") {
  const bundle::WantList list = want_list_of(lacking(), k_where);
  REQUIRE(list.images.size() == 2);
  const auto app = placement("team/app", {});
  const auto web = placement("team/web", {});
  CHECK(list.images[0] ==
        bundle::WantedOfImage{
            app.name, app.digest, "team/app", {{blob("own").digest, 3, blob("own").media_type, {}}}});
  CHECK(list.images[1] ==
        bundle::WantedOfImage{
            web.name, web.digest, "team/web", {{blob("shared").digest, 6, blob("shared").media_type, {}}}});
}

TEST_CASE("without a prefix the paths of a want-list are those of the registry") {
  const bundle::WantList list = want_list_of(lacking(), {"r.example"});
  REQUIRE(list.images.size() == 2);
  CHECK(list.images[0].target == "in/team/app");
}

TEST_CASE("what is missing is summed up, with what to do by whether it was written down") {
  const diag::Error error = refusal("");
  CHECK(error.message() ==
        "r.example/in has not all that this delta requires: it lacks 2 blobs, 9 B, of src.example/team/web:1 "
        "and 1 "
        "more; nothing was written");
  CHECK(error.hint().find("--want-list FILE") != std::string::npos);
  CHECK(refusal("wanted.json").hint().find("'airgap-export pull --from wanted.json --output heal.tar'") !=
        std::string::npos);
}
