#include "bundle-format/skopeo_tree/layout.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "common/diag/error.hpp"

using namespace airgap;
using namespace airgap::skopeo_tree;

namespace {

const std::string k_hex(64, 'a');
const std::string k_long_hex(128, 'b');
const hash::Digest k_sha256 = hash::Digest::parse("sha256:" + k_hex);
const hash::Digest k_sha512 = hash::Digest::parse("sha512:" + k_long_hex);

}  // namespace

TEST_CASE("a file's name says what it is") {
  struct Row {
    std::string name;
    FileName meaning;
  };
  const std::vector<Row> rows{
      {"manifest.json", {FileKind::manifest}},
      {"version", {FileKind::version}},
      {blob_file(k_sha256), {FileKind::blob, k_sha256}},
      {blob_file(k_sha512), {FileKind::blob, k_sha512}},
      {instance_file(k_sha256), {FileKind::instance, k_sha256}},
      {instance_file(k_sha512), {FileKind::instance, k_sha512}},
      {"signature-1", {FileKind::signature, {}, 1}},
      {k_hex + ".signature-12", {FileKind::signature, k_sha256, 12}},
      {"sha512-" + k_long_hex + ".signature-2", {FileKind::signature, k_sha512, 2}},
      {"manifest.json.tmp", {FileKind::temporary}},
      {k_hex + ".manifest.json.tmp", {FileKind::temporary}},
      {"dir-put-blob123", {FileKind::temporary}},
      {"sha256-" + k_hex, {}},
      {std::string(63, 'a'), {}},
      {std::string(64, 'A'), {}},
      {"signature-0", {}},
      {"signature-01", {}},
      {"signature-", {}},
      {"signature-1x", {}},
      {"x.signature-1", {}},
      {"x.manifest.json", {}},
      {"notes.tmp", {}},
      {"", {}},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    CHECK(FileName::parse(row.name) == row.meaning);
  }
  CHECK(blob_file(k_sha256) == k_hex);
  CHECK(blob_file(k_sha512) == "sha512-" + k_long_hex);
}

TEST_CASE("versions up to 1.2 are read, newer ones are refused, and a file that states none is damaged") {
  for (const bool other : {false, true}) CHECK_NOTHROW(check_version(version_text(other)));
  CHECK(version_text(false) == "Directory Transport Version: 1.1\n");
  CHECK(version_text(true) == "Directory Transport Version: 1.2\n");
  for (const char* text : {"Directory Transport Version: 1.0\n", "Directory Transport Version: 0.9\n"})
    CHECK_NOTHROW(check_version(text));
  for (const char* text : {"Directory Transport Version: 1.3\n", "Directory Transport Version: 2.0\n",
                           "Directory Transport Version: 10.1\n"}) {
    CAPTURE(text);
    CHECK_THROWS_WITH_AS(check_version(text), doctest::Contains("newer than 1.2"), diag::UnsafeError);
  }
  for (const char* text :
       {"", "1.1\n", "Directory Transport Version: 1.1", "Directory Transport Version: x\n",
        "Directory Transport Version: 1.1\r\n", "Directory Transport Version: 1.q\n"}) {
    CAPTURE(text);
    CHECK_THROWS_WITH_AS(check_version(text), doctest::Contains("is no version"), diag::IntegrityError);
  }
}

TEST_CASE(
    "an image's folder is its last component, or scoped its whole name; and the folder tells the name") {
  struct Row {
    const char* name;
    std::string flat;
    std::string scoped;
  };
  const std::string digest = k_sha256.str();
  const std::string by_digest = "quay.io/a/app@" + digest;
  const std::vector<Row> rows{
      {"registry.example.com/a/b/app:1", "app:1", "registry.example.com/a/b/app:1"},
      {"busybox", "busybox:latest", "docker.io/library/busybox:latest"},
      {"host:5000/t/app:1", "app:1", "host:5000/t/app:1"},
      {by_digest.c_str(), "app@" + digest, by_digest},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    const image::Reference name = image::Reference::parse(row.name).with_default_tag();
    CHECK(folder_of(name, false) == row.flat);
    CHECK(folder_of(name, true) == row.scoped);
    CHECK(name_of_folder(row.scoped) == name);
    CHECK(name_of_folder(row.flat).registry.empty());
    CHECK(name_of_folder(row.flat).str() == row.flat);
  }
  CHECK(name_of_folder("team/app").str() == "team/app:latest");
  CHECK(name_of_folder("localhost/app:1").registry == "localhost");
  CHECK(name_of_folder("app.v2:1").repository == "app.v2");
}

TEST_CASE("a folder that no image is called like is refused") {
  for (const char* folder :
       {"", "App:1", "app:", "app:1:2", "app@sha256:12", "a//b:1", "exported/host:5000/app:1",
        "-host.x/app:1", "quay.io/", "a b:1", "host:99999/app:1"}) {
    CAPTURE(folder);
    CHECK_THROWS_AS(name_of_folder(folder), diag::FormatError);
  }
}
