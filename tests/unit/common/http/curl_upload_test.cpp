#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "common/diag/error.hpp"
#include "common/http/curl_client.hpp"
#include "common/task/guarded.hpp"
#include "tests/unit/common/http/scripted_server.hpp"

namespace airgap::http {
namespace {

using test::Peer;
using test::ScriptedServer;

Request upload(const Url& url, Method method, std::string body) {
  Request request{.method = method, .url = url};
  request.allow_plain_http = true;
  set_body(request, std::move(body), "application/octet-stream");
  return request;
}

std::size_t length_in(const std::string& head) {
  const auto at = head.find("Content-Length: ");
  return at == std::string::npos ? 0 : std::stoul(head.substr(at + 16));
}

struct Received {
  std::string head;
  std::string body;
};

/// Gives 100 KiB and then fails.
class FailingSource : public io::Source {
 public:
  std::size_t read(std::span<std::byte> out) override {
    if (m_given >= 100 * 1024) throw diag::IntegrityError("the stick is broken");
    m_given += out.size();
    return out.size();
  }

 private:
  std::size_t m_given = 0;
};

}  // namespace

TEST_CASE("uploads carry their length, ask for no permission and arrive whole") {
  std::string body;
  for (int i = 0; body.size() < 3'000'000; ++i) body += std::to_string(i);
  task::Guarded<Received> last;
  const ScriptedServer server([&](Peer& peer) {
    for (std::string head = peer.read_head(); !head.empty(); head = peer.read_head()) {
      std::string got = peer.read_body(length_in(head));
      last.with([&](Received& received) { received = {head, std::move(got)}; });
      peer.send("HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n");
    }
  });
  CurlClient http({.user_agent = "test"});
  for (const Method method : {Method::post, Method::put, Method::patch}) {
    for (const std::string& sent : {std::string(), std::string("{}"), body}) {
      CHECK(http.send(upload(server.url("/up"), method, sent))->status() == 201);
      const auto [head, got] = last.with([](const Received& received) { return received; });
      CAPTURE(head);
      CHECK(head.starts_with(std::string(name(method)) + " /up HTTP/1.1\r\n"));
      CHECK(head.find("\r\nContent-Length: " + std::to_string(sent.size()) + "\r\n") != std::string::npos);
      CHECK(head.find("\r\nContent-Type: application/octet-stream\r\n") != std::string::npos);
      CHECK(head.find("Expect") == std::string::npos);
      CHECK(head.find("Transfer-Encoding") == std::string::npos);
      CHECK((got == sent));
    }
  }
  CHECK(server.accepted() == 1);
}

TEST_CASE("a POST without a body says that it has none") {
  task::Guarded<std::string> seen;
  const ScriptedServer server([&](Peer& peer) {
    seen.with([&](std::string& head) { head = peer.read_head(); });
    peer.send("HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n");
    peer.wait_for_close();
  });
  CurlClient http({.user_agent = "test"});
  Request request{.method = Method::post, .url = server.url()};
  request.allow_plain_http = true;
  CHECK(http.send(request)->status() == 202);
  const std::string head = seen.with([](const std::string& text) { return text; });
  CHECK(head.find("\r\nContent-Length: 0\r\n") != std::string::npos);
}

TEST_CASE("an answer that comes before the upload has ended is the answer") {
  for (const char* status : {"401 Unauthorized", "413 Request Entity Too Large"}) {
    const ScriptedServer server([&](Peer& peer) {
      peer.read_head();
      peer.read_body(100'000);
      peer.send(std::string("HTTP/1.1 ") + status + "\r\nContent-Length: 2\r\n\r\nno");
      peer.wait_for_close();
    });
    CurlClient http({.user_agent = "test"});
    const auto response = http.send(upload(server.url(), Method::put, std::string(50'000'000, 'x')));
    CHECK(std::string(status).starts_with(std::to_string(response->status())));
    CHECK(io::read_all(*response, 100, "body") == "no");
  }
}

TEST_CASE(
    "a body that fails while it is read ends the request with its own error, before the server has all of "
    "it") {
  std::string got;
  {
    const ScriptedServer server([&](Peer& peer) { got = peer.read_body(length_in(peer.read_head())); });
    CurlClient http({.user_agent = "test"});
    Request request = upload(server.url(), Method::put, "");
    request.body_size = 10'000'000;
    request.open_body = [] { return std::make_unique<FailingSource>(); };
    CHECK_THROWS_WITH_AS(http.send(request), "the stick is broken", diag::IntegrityError);
  }
  CHECK(got.size() < 10'000'000);
}

TEST_CASE("an upload on a kept connection that turns out dead is sent again from its start, if it may be") {
  for (const bool repeatable : {true, false}) {
    CAPTURE(repeatable);
    task::Guarded<std::vector<std::string>> bodies;
    const auto receive = [&](Peer& peer) {
      const std::string head = peer.read_head();
      if (head.empty()) return;
      std::string body = peer.read_body(length_in(head));
      bodies.with([&](auto& all) { all.push_back(std::move(body)); });
    };
    const ScriptedServer server([&](Peer& peer) {
      receive(peer);
      peer.send("HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n");
      receive(peer);  // and hangs up instead of an answer
    });
    CurlClient http({.user_agent = "test"});
    Request request = upload(server.url(), Method::put, "all of it");
    request.repeatable = repeatable;
    CHECK(http.send(request)->status() == 201);
    if (repeatable) {
      CHECK(http.send(request)->status() == 201);
      CHECK(bodies.with([](auto& all) { return all; }) == std::vector<std::string>(3, "all of it"));
    } else {
      CHECK_THROWS_AS(http.send(request), TransferError);
      CHECK(bodies.with([](auto& all) { return all; }) == std::vector<std::string>(2, "all of it"));
    }
  }
}

TEST_CASE("a download is handed to an upload without a copy in between") {
  std::string body(5'000'000, 'y');
  task::Guarded<std::string> got;
  const ScriptedServer from(
      ScriptedServer::answering("HTTP/1.1 200 OK\r\nContent-Length: 5000000\r\n\r\n" + body));
  const ScriptedServer into([&](Peer& peer) {
    got.with([&](std::string& all) { all = peer.read_body(length_in(peer.read_head())); });
    peer.send("HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n");
    peer.wait_for_close();
  });
  CurlClient http({.user_agent = "test"});
  Request request = upload(into.url(), Method::put, "");
  request.body_size = body.size();
  request.repeatable = false;
  request.open_body = [&]() -> std::unique_ptr<io::Source> {
    Request get{.url = from.url()};
    get.allow_plain_http = true;
    return http.send(get);
  };
  CHECK(http.send(request)->status() == 201);
  CHECK(got.with([&](const std::string& all) { return all == body; }));
}

}  // namespace airgap::http
