#include "tests/unit/bundle-format/compressed/compressed_fixture.hpp"

#include <doctest/doctest.h>

#include <algorithm>

#include "common/diag/error.hpp"
#include "common/hash/hasher.hpp"

namespace airgap::bundle::testing {

std::string text_layer(std::size_t lines, int seed) {
  std::string text;
  for (std::size_t i = 0; i < lines; ++i) text += std::to_string(seed) + " line " + std::to_string(i) + "\n";
  return text;
}

Sample three_images() {
  return sample({{"example.com/app:1", {"base", "", noise(5'000'000, 1)}},
                 {"example.com/gzip:1", {"base", "\x1f\x8b" + noise(90'000, 2)}},
                 {"example.com/text:1", {"base", text_layer(300'000, 3)}}});
}

void write_some(const std::string& path, const Sample& wanted, std::size_t count) {
  const auto writer = open_writer({path});
  std::vector<Blob> missing = wanted.fetched();
  std::erase_if(missing, [&](const Blob& blob) { return writer->has_blob(blob); });
  writer->begin(wanted.contents);
  for (std::size_t i = 0; i < count; ++i)
    writer->put_blob(missing[i], wanted.opener(missing[i]), transport::no_observer());
}

void break_off(const std::string& path, const Sample& wanted, const std::string& cut, std::size_t came,
               bool overwrite) {
  const auto writer = open_writer({.path = path, .overwrite = overwrite});
  std::vector<Blob> missing = wanted.fetched();
  std::erase_if(missing, [&](const Blob& blob) { return writer->has_blob(blob); });
  writer->begin(wanted.contents);
  for (const Blob& blob : missing) {
    if (blob.digest == wanted.blob_of(cut).digest) {
      FaultyBlob broken(cut, came);
      CHECK_THROWS_AS(writer->put_blob(blob, broken.opener(), transport::no_observer()), diag::NetworkError);
      return;
    }
    writer->put_blob(blob, wanted.opener(blob), transport::no_observer());
  }
  FAIL("it was there already");
}

std::vector<std::string> layers_in_order(std::size_t count) {
  std::vector<std::string> layers;
  for (unsigned seed = 1; layers.size() < count; ++seed) layers.push_back(noise(5'000'000, seed));
  std::ranges::sort(layers, {}, [](const std::string& layer) { return hash::sha256_of(layer); });
  return layers;
}

std::vector<std::string> names_in(const TempDirectory& temp) {
  std::vector<std::string> names;
  for (const auto& [name, bytes] : tree_of(temp.path())) names.push_back(name);
  return names;
}

std::string whole_of(const Sample& wanted) {
  const TempDirectory temp;
  write_bundle(temp.path("out.tar.zst"), wanted, 3);
  return file_text(temp.path("out.tar.zst"));
}

}  // namespace airgap::bundle::testing
