#pragma once

#include <functional>
#include <string>
#include <vector>

#include "tests/unit/common/registry/registry_fixture.hpp"

namespace airgap::test {

/// A registry client over a registry that answers each request, given as "PUT https://…", by a function. The
/// function is called by one thread at a time.
class AnsweringRegistry : private http::Client {
 public:
  using Answer = std::function<FakeAnswer(const std::string& line)>;
  explicit AnsweringRegistry(Answer answer) : m_answer(std::move(answer)) {}

  std::vector<std::string> lines() const {
    return m_lines.with([](const std::vector<std::string>& lines) { return lines; });
  }

 private:
  std::unique_ptr<http::Response> send(const http::Request& request) override {
    const std::string line = std::string(http::name(request.method)) + " " + request.url.str();
    return m_lines.with([&](std::vector<std::string>& lines) {
      lines.push_back(line);
      return std::make_unique<FakeResponse>(request, m_answer(line));
    });
  }

  Answer m_answer;
  task::Guarded<std::vector<std::string>> m_lines;
  FakeClock m_clock;
  registry::CredentialStore m_credentials{
      {.explicit_ones = {}, .files = {}, .files_must_exist = false, .stop = {}}};

 public:
  registry::RegistryClient client{*this, m_credentials, m_clock, {}};
  registry::Repository repository{"reg.example", "team/app"};
};

}  // namespace airgap::test
