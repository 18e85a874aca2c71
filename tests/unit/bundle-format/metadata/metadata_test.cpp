#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>

#include "bundle-format/bundle_reader.hpp"
#include "bundle-format/metadata/docker_manifest.hpp"
#include "bundle-format/metadata/layout.hpp"
#include "bundle-format/metadata/oci_layout.hpp"
#include "bundle-format/metadata/sums.hpp"
#include "common/diag/error.hpp"
#include "common/hash/hasher.hpp"
#include "tests/unit/bundle-format/sample_bundle.hpp"
#include "tests/unit/bundle-format/whole_files.hpp"

namespace airgap::bundle {
namespace {

const std::string k_golden = AIRGAP_TEST_DATA "/format-1";

void replace(std::string& text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  text.replace(at, from.size(), to);
}

}  // namespace

TEST_CASE("format 1 is these bytes (AIRGAP_TEST_ACCEPT=1 writes them anew)") {
  const auto files = files_of(make_sample(Sha512::layer));
  if (std::getenv("AIRGAP_TEST_ACCEPT") != nullptr) {
    std::filesystem::remove_all(k_golden);
    write_directory(files, k_golden);
  }
  for (const SampleFile& file : files) {
    INFO(file.name);
    CHECK(file.bytes == read_file(k_golden + "/" + file.name));
  }
}

TEST_CASE("a bundle of format 1 opens") {
  const auto reader = open_bundle(k_golden);
  CHECK(reader->info() == make_sample(Sha512::layer).contents.info);
}

TEST_CASE("metadata comes in archive order, SHA512SUMS only with a sha512 blob") {
  const auto names = [](Sha512 with) {
    std::string all;
    for (const MetadataFile& file : metadata_files(make_sample(with).contents)) all += file.name + " ";
    return all;
  };
  CHECK(names(Sha512::none) == "oci-layout index.json bundle.json manifest.json SHA256SUMS ");
  CHECK(names(Sha512::layer) == "oci-layout index.json bundle.json manifest.json SHA512SUMS SHA256SUMS ");
}

TEST_CASE("contents that no reader would take are not written") {
  Contents contents = make_sample().contents;
  SUBCASE("a blob twice") {
    contents.info.blobs.push_back(contents.info.blobs.back());
  }
  SUBCASE("a time that is none") {
    contents.info.created = "yesterday";
  }
  SUBCASE("an image whose manifest is not there") {
    contents.info.blobs.erase(contents.info.blobs.begin());
  }
  SUBCASE("a docker image whose layer is not there") {
    contents.docker_images.front().layers.push_back(hash::sha256_of("unheard of"));
  }
  SUBCASE("a docker image that is no image") {
    contents.docker_images.front().name = "docker.io/library/other:1";
  }
  CHECK_THROWS_AS(metadata_files(contents), diag::UnsafeError);
}

TEST_CASE("check sums read back as they were written") {
  const Sums sums = sha256_sums(make_sample().contents.info, {{"index.json", "{}"}});
  CHECK(parse_sums(write_sums(sums), hash::Algorithm::sha256) == sums);
  const Sums long_ones = sha512_sums(make_sample(Sha512::layer).contents.info);
  CHECK(long_ones.files.size() == 1);
  CHECK(parse_sums(write_sums(long_ones), hash::Algorithm::sha512) == long_ones);
}

TEST_CASE("check sums of any other form are refused") {
  const std::string a(64, 'a');
  const std::string b(64, 'b');
  const std::string refused[] = {
      a + "  index.json",      // no end
      a + " *index.json\n",    // binary mark
      a + "  ./index.json\n",  // another spelling
      a + "  ../index.json\n",
      a + "  /etc/passwd\n",
      a + "  blobs/sha256/../../index.json\n",
      a + "  SHA256SUMS\n",    // of itself
      a + "  index.json\n\n",  // empty line
      a + "  index.json\r\n",
      a + "  index.json\n# a comment\n",        // comments stand first
      std::string(64, 'A') + "  index.json\n",  // upper case
      a.substr(1) + "  index.json\n",
      "\\" + a + "  index.json\n",                  // sha256sum's escaped form
      a + "  blobs/sha256/" + b + "\n",             // says another digest than the name
      a + "  index.json\n" + b + "  index.json\n",  // twice
      a + "  oci-layout\n" + b + "  index.json\n",  // not in order
      std::string("a\0b", 3) + a + "  index.json\n",
  };
  for (const std::string& text : refused) {
    INFO(text);
    CHECK_THROWS_AS(parse_sums(text, hash::Algorithm::sha256), diag::UnsafeError);
  }
}

TEST_CASE("a path of a blob is taken for nothing else") {
  const hash::Digest digest = hash::sha256_of("");
  CHECK(blob_path(digest) == "blobs/sha256/" + digest.hex());
  CHECK(digest_of_path(blob_path(digest)) == digest);
  for (const std::string& path :
       {std::string("blobs/sha256/"), "blobs/sha256/" + std::string(64, 'A'),
        "blobs/md5/" + std::string(32, 'a'), "blobs//" + digest.hex(), "./" + blob_path(digest),
        blob_path(digest) + "/", blob_path(digest) + ".part-0001", "blobs/sha512/" + digest.hex(),
        "blobs/sha256/../" + digest.hex(), std::string("index.json")}) {
    INFO(path);
    CHECK_FALSE(digest_of_path(path).has_value());
  }
}

TEST_CASE("what systems leave on sticks is known, other names are not") {
  for (const char* name :
       {"Thumbs.db", ".DS_Store", "desktop.ini", "System Volume Information", "._index.json", ".Trash-1000",
        ".Trashes", "lost+found", ".fseventsd", ".Spotlight-V100", "$RECYCLE.BIN"})
    CHECK(is_system_dropping(name));
  for (const char* name : {"thumbs", ".hidden", "index.json", "..", "blobs", "_index.json", ""})
    CHECK_FALSE(is_system_dropping(name));
}

TEST_CASE("index.json must name the images of bundle.json and no other") {
  const BundleInfo info = make_sample().contents.info;
  const std::string good = write_index_json(info);
  CHECK_NOTHROW(check_index_json(good, info));
  std::string text = good;
  SUBCASE("another name") {
    replace(text, "docker.io/library/app:1", "docker.io/library/app:2");
  }
  SUBCASE("two names in one descriptor") {
    replace(text, "ref.name\": \"quay.io/org/tool:2", "ref.name\": \"latest; rm -rf /");
  }
  SUBCASE("another digest") {
    replace(text, info.images[0].digest.str(), info.images[1].digest.str());
  }
  SUBCASE("another size") {
    replace(text, "\"size\": ", "\"size\": 1");
  }
  SUBCASE("an image less") {
    BundleInfo fewer = info;
    fewer.images.pop_back();
    text = write_index_json(fewer);
  }
  SUBCASE("an image more") {
    BundleInfo more = info;
    more.images.push_back(more.images.back());
    text = write_index_json(more);
  }
  SUBCASE("no JSON") {
    text = "{";
  }
  CHECK_THROWS_AS(check_index_json(text, info), diag::UnsafeError);
}

TEST_CASE("an OCI layout of another version is refused") {
  CHECK_NOTHROW(check_oci_layout(write_oci_layout()));
  CHECK_NOTHROW(check_oci_layout(R"({"imageLayoutVersion": "1.0.0", "more": 1})"));
  for (const char* text :
       {R"({"imageLayoutVersion":"2.0.0"})", R"({"imageLayoutVersion":1})", "{}", "", "[]"})
    CHECK_THROWS_AS(check_oci_layout(text), diag::UnsafeError);
}

TEST_CASE("manifest.json shows other tools nothing but images and blobs of the bundle") {
  const Sample sample = make_sample();
  const BundleInfo& info = sample.contents.info;
  const std::string good = write_docker_manifest(sample.contents.docker_images);
  CHECK(parse_docker_manifest(good, info) == sample.contents.docker_images);
  std::string text = good;
  SUBCASE("a path outside") {
    replace(text, blob_path(sample["big"]), "../../etc/passwd");
  }
  SUBCASE("a blob that is not there") {
    replace(text, sample["big"].hex(), std::string(64, '0'));
  }
  SUBCASE("a name that is no image's") {
    replace(text, "quay.io/org/tool:2", "quay.io/org/tool:3");
  }
  SUBCASE("two names") {
    replace(text, "\"quay.io/org/tool:2\"", "\"quay.io/org/tool:2\",\"quay.io/org/tool:2\"");
  }
  SUBCASE("an object") {
    text = "{}";
  }
  CHECK_THROWS_AS(parse_docker_manifest(text, info), diag::UnsafeError);
}

}  // namespace airgap::bundle
