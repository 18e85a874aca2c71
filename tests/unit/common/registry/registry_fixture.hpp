#pragma once

#include <doctest/doctest.h>

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/diag/error.hpp"
#include "common/diag/log.hpp"
#include "common/hash/hasher.hpp"
#include "common/http/redirecting_client.hpp"
#include "common/io/stream.hpp"
#include "common/registry/registry_client.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/fake_http_client.hpp"

namespace airgap::test {

/// A registry client over scripted answers, without redirects and retries: those are the transport's.
struct RegistryFixture {
  explicit RegistryFixture(registry::RegistryOptions with = {},
                           std::map<std::string, registry::Credential> known = {})
      : credentials({.explicit_ones = std::move(known), .files = {}, .files_must_exist = false, .stop = {}}),
        client(http, credentials, clock, std::move(with)) {}

  FakeHttpClient http;
  FakeClock clock;
  registry::CredentialStore credentials;
  registry::RegistryClient client;
  registry::Repository repository{"reg.example", "team/app"};

  std::vector<std::string> lines() const { return http.lines(); }
  SentRequest request(std::size_t i) const { return http.requests().at(i); }
};

inline const std::string k_base = "https://reg.example/v2/team/app/";
inline const std::string k_api = "Docker-Distribution-Api-Version";

inline std::string errors(std::string_view code, std::string_view message = "no") {
  return "{\"errors\":[{\"code\":\"" + std::string(code) + "\",\"message\":\"" + std::string(message) +
         "\"}]}";
}

inline std::string text_digest(std::string_view bytes) {
  return hash::sha256_of(bytes).str();
}

inline image::Descriptor blob_of(std::string_view bytes) {
  return {.media_type = "application/vnd.oci.image.layer.v1.tar+gzip",
          .digest = hash::sha256_of(bytes),
          .size = bytes.size()};
}

/// Catches warnings while it lives.
class Warnings : public diag::LogSink {
 public:
  Warnings() { diag::configure_log(this, ""); }
  ~Warnings() override { diag::configure_log(nullptr, ""); }
  void line(diag::LogLevel level, std::string_view, std::string_view text) override {
    if (level == diag::LogLevel::warning) m_lines.emplace_back(text);
  }
  const std::vector<std::string>& lines() const { return m_lines; }

 private:
  std::vector<std::string> m_lines;
};

/// The error that `body` throws; the test fails when there is none.
template <class Body>
diag::Error error_of(Body&& body) {
  try {
    static_cast<void>(body());
  } catch (const diag::Error& error) {
    return error;
  }
  FAIL("nothing was thrown");
  return {diag::ErrorKind::internal, ""};
}

}  // namespace airgap::test
