#include "exporter/select/lock_file.hpp"

#include <doctest/doctest.h>

#include "bundle-format/metadata/json_kind.hpp"
#include "common/diag/error.hpp"

using namespace airgap;
using exporter::parse_lock;
using exporter::write_lock;

namespace {

hash::Digest digest(char digit) {
  return hash::Digest::parse("sha256:" + std::string(64, digit));
}

bundle::Image image_of(const std::string& name, char carried, char source, const std::string& platforms) {
  return {.name = image::Reference::parse_full(name),
          .digest = digest(carried),
          .media_type = "application/vnd.oci.image.manifest.v1+json",
          .size = 1,
          .source_digest = digest(source),
          .platforms = {},
          .bytes = 1,
          .target = "base/app:1",
          .subject = {},
          .platform_choice = platforms,
          .unique_bytes = 0};
}

}  // namespace

TEST_CASE("what is written is read again") {
  // A registry may be called without a dot.
  std::vector<bundle::Image> images{image_of("myreg/org/app:1", 'a', 'b', "linux/amd64,linux/arm64"),
                                    image_of("quay.io/org/app@" + digest('c').str(), 'c', 'c', "all")};
  images[1].subject = digest('b');
  const std::string text = write_lock(image::NameMode::scoped, images);
  CHECK(bundle::json_kind(text) == exporter::k_lock_kind);
  const exporter::Lock lock = parse_lock(text, "f.lock");
  CHECK(lock.names == image::NameMode::scoped);
  REQUIRE(lock.images.size() == 2);
  for (std::size_t i = 0; i < 2; ++i) {
    CHECK(lock.images[i].name == images[i].name);
    const exporter::Pin pin{.source = images[i].source_digest,
                            .carried = images[i].digest,
                            .platforms = image::PlatformFilter::parse(images[i].platform_choice),
                            .target = images[i].target,
                            .subject = images[i].subject,
                            .lock = "f.lock"};
    CHECK(lock.images[i].pin == pin);
  }
}

TEST_CASE("members that a later version adds are passed over, unless they are critical") {
  std::string text = write_lock(image::NameMode::path, {image_of("quay.io/app:1", 'a', 'a', "all")});
  text.insert(text.find("\"names\""), "\"comment\": [1], \"critical\": [\"images\"], ");
  CHECK(parse_lock(text, "f").images.size() == 1);
  text.insert(text.find("\"images\"]"), "\"comment\", ");
  text.insert(text.find("\"comment\": "), "\"needs\": \"airgap-export 3\", ");
  try {
    parse_lock(text, "f");
    FAIL_CHECK("not refused");
  } catch (const diag::UsageError& error) {
    CHECK(error.message() ==
          "bad lock f: it has a critical member 'comment' that this program does not know");
    CHECK(error.hint() == "this lock needs airgap-export 3");
  }
}
