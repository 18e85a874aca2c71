#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/diag/error.hpp"
#include "common/http/client.hpp"
#include "common/io/stream.hpp"
#include "common/task/guarded.hpp"

namespace airgap::test {

/// An answer to be given. `error`, when set, is called instead and throws.
struct FakeAnswer {
  int status = 200;
  std::vector<std::pair<std::string, std::string>> headers{};
  std::string body{};
  std::string remote_address{};
  std::function<void()> error{};
  bool cut = false;  ///< the body breaks off after `body`
};

/// A request as it was sent, its body read to the end.
struct SentRequest {
  http::Method method = http::Method::get;
  std::string url;
  http::Headers headers;
  std::string body;
  http::AddressRule addresses = http::AddressRule::any;
  bool allow_plain_http = false;
  bool repeatable = true;
  std::optional<std::size_t> most_repeats{};
  std::shared_ptr<const http::TlsSettings> tls;

  std::string line() const {
    return std::string(http::name(method)) + " " + url;
  }  ///< "GET https://host/path"
  std::string header(std::string_view name) const { return headers.find(name).value_or(""); }
};

/// A Response from memory.
class FakeResponse : public http::Response {
 public:
  FakeResponse(const http::Request& request, FakeAnswer answer)
      : m_body(std::move(answer.body)), m_rest(m_body), m_cut(answer.cut) {
    m_head.status = answer.status;
    m_head.url = request.url;
    m_head.remote_address = std::move(answer.remote_address);
    for (auto& [name, value] : answer.headers) m_head.headers.add(std::move(name), std::move(value));
    if (const auto length = m_head.headers.find("Content-Length")) {
      m_head.content_length = std::stoull(*length);
    } else if (request.method != http::Method::head) {
      m_head.content_length = m_body.size();
    }
    if (request.method == http::Method::head) m_rest = io::MemorySource({});
  }
  const http::ResponseHead& head() const noexcept override { return m_head; }
  std::size_t read(std::span<std::byte> out) override {
    const std::size_t count = m_rest.read(out);
    if (count == 0 && m_cut) throw http::TransferError("the transfer was cut", true);
    return count;
  }

 private:
  std::string m_body;
  io::MemorySource m_rest;
  bool m_cut;
  http::ResponseHead m_head;
};

/// Answers by script and records what was asked. Answers to one method and URL are given in the order they
/// were added; the last one stays when it was added by always(). A request without an answer is an
/// InternalError.
class FakeHttpClient : public http::Client {
 public:
  /// `line` is "GET https://registry/v2/", the query included.
  FakeHttpClient& next(const std::string& line, FakeAnswer answer) {
    return add(line, std::move(answer), false);
  }
  FakeHttpClient& always(const std::string& line, FakeAnswer answer) {
    return add(line, std::move(answer), true);
  }

  std::unique_ptr<http::Response> send(const http::Request& request) override {
    SentRequest sent = record(request);
    const std::string line = sent.line();
    std::optional<FakeAnswer> answer = m_state.with([&](State& state) {
      state.requests.push_back(std::move(sent));
      return take(state, line);
    });
    if (!answer) throw diag::InternalError("no answer was scripted for " + line);
    if (answer->error) answer->error();
    return std::make_unique<FakeResponse>(request, std::move(*answer));
  }

  std::vector<SentRequest> requests() const {
    return m_state.with([](const State& state) { return state.requests; });
  }
  std::vector<std::string> lines() const {  ///< of all requests, in order
    std::vector<std::string> lines;
    for (const SentRequest& request : requests()) lines.push_back(request.line());
    return lines;
  }

 private:
  struct Scripted {
    FakeAnswer answer;
    bool stays;
  };
  struct State {
    std::map<std::string, std::deque<Scripted>> answers;
    std::vector<SentRequest> requests;
  };

  FakeHttpClient& add(const std::string& line, FakeAnswer answer, bool stays) {
    m_state.with([&](State& state) { state.answers[line].push_back({std::move(answer), stays}); });
    return *this;
  }
  static std::optional<FakeAnswer> take(State& state, const std::string& line) {
    auto& queue = state.answers[line];
    if (queue.empty()) return std::nullopt;
    FakeAnswer answer = queue.front().answer;
    if (!queue.front().stays || queue.size() > 1) queue.pop_front();
    return answer;
  }
  static SentRequest record(const http::Request& request) {
    SentRequest sent{.method = request.method,
                     .url = request.url.str(),
                     .headers = request.headers,
                     .body = {},
                     .addresses = request.addresses,
                     .allow_plain_http = request.allow_plain_http,
                     .repeatable = request.repeatable,
                     .most_repeats = request.most_repeats,
                     .tls = request.tls};
    if (request.open_body) {
      sent.body = io::read_all(*request.open_body(), std::size_t{128} * 1024 * 1024, "request body");
    }
    return sent;
  }

  task::Guarded<State> m_state;
};

}  // namespace airgap::test
