#include "common/image/media_type.hpp"

#include <doctest/doctest.h>

namespace airgap::image {
namespace {

TEST_CASE("manifests and indexes are told from their media type") {
  CHECK(manifest_kind(k_oci_manifest) == ManifestKind::image);
  CHECK(manifest_kind(k_docker_manifest) == ManifestKind::image);
  CHECK(manifest_kind(k_artifact_manifest) == ManifestKind::image);
  CHECK(manifest_kind(k_oci_index) == ManifestKind::index);
  CHECK(manifest_kind(k_docker_list) == ManifestKind::index);
  CHECK(manifest_kind("application/vnd.in-toto+json") == std::nullopt);
  CHECK(manifest_kind("") == std::nullopt);
  CHECK(is_schema1("application/vnd.docker.distribution.manifest.v1+prettyjws"));
  CHECK_FALSE(is_schema1(k_docker_manifest));
}

TEST_CASE("every type that we carry is accepted from a registry, and schema 1 is not asked for") {
  for (const std::string_view type : {k_oci_manifest, k_oci_index, k_docker_manifest, k_docker_list}) {
    CHECK(k_manifest_accept.find(type) != std::string_view::npos);
  }
  CHECK(k_manifest_accept.find("manifest.v1+prettyjws") == std::string_view::npos);
  CHECK(k_manifest_accept.find('*') == std::string_view::npos);
}

TEST_CASE("layers are told apart from artifacts, and foreign ones from others") {
  for (const std::string_view type :
       {"application/vnd.docker.image.rootfs.diff.tar.gzip", "application/vnd.docker.image.rootfs.diff.tar",
        "application/vnd.oci.image.layer.v1.tar", "application/vnd.oci.image.layer.v1.tar+gzip",
        "application/vnd.oci.image.layer.v1.tar+zstd"}) {
    CAPTURE(type);
    CHECK(is_filesystem_layer(type));
    CHECK_FALSE(is_foreign_layer(type));
  }
  for (const std::string_view type : {"application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
                                      "application/vnd.oci.image.layer.nondistributable.v1.tar",
                                      "application/vnd.oci.image.layer.nondistributable.v1.tar+zstd"}) {
    CAPTURE(type);
    CHECK(is_filesystem_layer(type));
    CHECK(is_foreign_layer(type));
  }
  for (const std::string_view type :
       {"application/vnd.dev.cosign.simplesigning.v1+json",
        "application/vnd.cncf.helm.chart.content.v1.tar+gzip", "application/vnd.oci.image.layer.v1.tarball",
        "application/vnd.in-toto+json"}) {
    CAPTURE(type);
    CHECK_FALSE(is_filesystem_layer(type));
  }
}

TEST_CASE("a type says whether its bytes are compressed") {
  struct Row {
    std::string_view type;
    bool compressed;
  };
  for (const auto& [type, compressed] : {Row{"application/vnd.oci.image.layer.v1.tar", false},
                                         {"application/vnd.docker.image.rootfs.diff.tar", false},
                                         {"application/vnd.oci.image.layer.nondistributable.v1.tar", false},
                                         {"application/vnd.oci.image.layer.v1.tar+gzip", true},
                                         {"application/vnd.docker.image.rootfs.diff.tar.gzip", true},
                                         {"application/vnd.oci.image.layer.v1.tar+zstd", true},
                                         {"application/vnd.cncf.helm.chart.content.v1.tar+gzip", true},
                                         {"application/x-tar", false},
                                         {"", false}}) {
    CAPTURE(type);
    CHECK(is_compressed(type) == compressed);
  }
}

TEST_CASE("parameters and case of a Content-Type do not matter") {
  CHECK(bare_media_type("Application/JSON; charset=utf-8") == "application/json");
  CHECK(bare_media_type(" text/plain ;x") == "text/plain");
  CHECK(bare_media_type("") == "");
}

TEST_CASE("a media type can stand in a header") {
  CHECK(is_valid_media_type("application/vnd.x+json"));
  for (const std::string_view bad :
       {"", "json", "/json", "a/", "a/b c", "a/b\r\nX: y", "a/b\"", "a/b,c/d", "\xc3\xa9/x"}) {
    CAPTURE(bad);
    CHECK_FALSE(is_valid_media_type(bad));
  }
}

}  // namespace
}  // namespace airgap::image
