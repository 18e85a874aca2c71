#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/transport/image_source.hpp"
#include "tests/unit/common/registry/registry_fixture.hpp"

namespace airgap::test {

using Lines = std::vector<std::string>;

inline const std::string k_bytes = "0123456789";
inline const std::string k_post = "POST " + k_base + "blobs/uploads/";
inline const std::string k_ping = "GET https://reg.example/v2/";

/// Uploads one blob and remembers what was counted.
struct Upload : RegistryFixture {
  explicit Upload(std::string content = k_bytes, registry::RegistryOptions options = {},
                  std::map<std::string, registry::Credential> known = {})
      : RegistryFixture(std::move(options), std::move(known)),
        bytes(std::move(content)),
        blob(blob_of(bytes)) {
    http.always(k_ping, {.headers = {{k_api, "registry/2.0"}}});
  }

  std::string bytes;       // as they are stored here
  image::Descriptor blob;  // as they should be
  std::int64_t sent = 0;
  std::int64_t taken_back = 0;
  std::uint64_t found = 0;
  int opened = 0;

  std::string encoded() const { return "digest=sha256%3A" + blob.digest.hex(); }
  std::string put(const std::string& session) const {
    return "PUT " + k_base + "up/" + session + "?" + encoded();
  }
  static std::string patch(const std::string& session) { return "PATCH " + k_base + "up/" + session; }
  std::string head() const { return "HEAD " + k_base + "blobs/" + blob.digest.str(); }
  static FakeAnswer session(const std::string& name) {
    return {.status = 202, .headers = {{"Location", "/v2/team/app/up/" + name}}};
  }

  void run() {
    client.upload_blob(repository, blob,
                       [this](std::uint64_t offset) {
                         ++opened;
                         return std::make_unique<io::MemorySource>(std::string_view(bytes).substr(offset));
                       },
                       {[this](std::int64_t count) { (count < 0 ? taken_back : sent) += count; },
                        [this](std::uint64_t count) { found += count; }});
  }
  Lines work() const {  // without the ping
    Lines all = lines();
    std::erase(all, k_ping);
    return all;
  }
};

}  // namespace airgap::test
