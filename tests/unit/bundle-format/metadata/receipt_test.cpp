#include "bundle-format/metadata/receipt.hpp"

#include <doctest/doctest.h>

#include "bundle-format/metadata/json_kind.hpp"
#include "bundle-format/metadata/want_list.hpp"
#include "common/diag/error.hpp"
#include "common/hash/hasher.hpp"

namespace airgap::bundle {
namespace {

Receipt sample_receipt() {
  const auto inside = [](const std::string& path) {
    return image::Reference::in_registry("registry", path);  // a host without a dot
  };
  Receipt receipt{.creator = "airgap-import 0.1.0",
                  .created = "2026-01-31T12:00:00Z",
                  .registry = {.registry = "registry", .prefix = "mirror"},
                  .position = StreamPosition{"0123456789abcdef0123456789abcdef", 4},
                  .bundle = "bundle.tar",
                  .images = {{image::Reference::parse("quay.io/org/app:1"), inside("mirror/org/app:1"),
                              hash::sha256_of("new"), hash::sha256_of("old")},
                             {image::Reference::parse("quay.io/org/app:2"), inside("mirror/org/app:2"),
                              hash::sha256_of("new"), std::nullopt}},
                  .blobs = {{hash::sha256_of("layer"), 5, "mirror/org/app"}}};
  return receipt;
}

}  // namespace

TEST_CASE("a receipt reads back as it was written, of a bundle or of none") {
  Receipt receipt = sample_receipt();
  CHECK(parse_receipt(write_receipt(receipt)) == receipt);
  CHECK(json_kind(write_receipt(receipt)) == k_receipt_kind);
  receipt.position.reset();
  receipt.bundle.clear();
  receipt.registry.prefix.clear();
  receipt.images.clear();
  CHECK(parse_receipt(write_receipt(receipt)) == receipt);
}

TEST_CASE("a blob's repository is told below the prefix") {
  Receipt receipt = sample_receipt();
  CHECK(receipt.repository_of(receipt.blobs[0]) == "org/app");
  receipt.blobs[0].repository = "mirrored/org/app";  // beside it
  CHECK(receipt.repository_of(receipt.blobs[0]).empty());
  receipt.registry.prefix.clear();
  CHECK(receipt.repository_of(receipt.blobs[0]) == "mirrored/org/app");
}

TEST_CASE("an image's target is told below the prefix") {
  Receipt receipt = sample_receipt();
  CHECK(receipt.target_of(receipt.images[0]) == "org/app:1");
  receipt.registry.prefix = "elsewhere";
  CHECK_FALSE(receipt.target_of(receipt.images[0]));
  receipt.registry.prefix.clear();
  CHECK(receipt.target_of(receipt.images[0]) == "mirror/org/app:1");
}

TEST_CASE("a want-list reads back as it was written, with the addresses of foreign layers") {
  const WantList list{.creator = "airgap-import 0.1.0",
                      .created = "2026-01-31T12:00:00Z",
                      .images = {{image::Reference::parse("quay.io/win/app:1"),
                                  hash::sha256_of("manifest"),
                                  "win/app",
                                  {{hash::sha256_of("plain"), 5, {}, {}},
                                   {hash::sha256_of("foreign"),
                                    7,
                                    "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
                                    {"https://windows.example/layer"}}}}}};
  CHECK(parse_want_list(write_want_list(list)) == list);
}

TEST_CASE("a cut receipt is refused wherever it is cut") {
  const std::string text = write_receipt(sample_receipt());
  for (std::size_t length = 0; length + 2 < text.size(); ++length) {
    CHECK_THROWS_AS(parse_receipt(text.substr(0, length)), diag::FormatError);
  }
}

TEST_CASE("what a JSON file is stands near its front") {
  CHECK(json_kind(" \n{ \"kind\" : \"airgap-want-list\"}") == "airgap-want-list");
  CHECK(json_kind("{\"format\": 1}").empty());
  CHECK(json_kind("kind: airgap-want-list").empty());
  CHECK(json_kind("{\"kind\": \"\x1b[2J\"}") == "\\x1b[2J");
  CHECK(json_kind("{\"kind\"").empty());
  CHECK(json_kind("").empty());
}

TEST_CASE("a want-list reads back as it was written") {
  const WantList list{.creator = "airgap-import 0.1.0",
                      .created = "2026-01-31T12:00:00Z",
                      .images = {{image::Reference::parse("quay.io/org/app:1"),
                                  hash::sha256_of("app"),
                                  "org/app",
                                  {{hash::sha256_of("layer"), 5}, {hash::sha256_of("other"), 6}}}}};
  CHECK(parse_want_list(write_want_list(list)) == list);
  const std::string text = write_want_list(list);
  for (std::size_t length = 0; length + 2 < text.size(); ++length) {
    CHECK_THROWS_AS(parse_want_list(text.substr(0, length)), diag::FormatError);
  }
}

}  // namespace airgap::bundle
