#include "common/http/curl_client.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "common/task/guarded.hpp"
#include "tests/unit/common/http/scripted_server.hpp"

namespace airgap::http {
namespace {

using namespace std::chrono_literals;
using test::Peer;
using test::ScriptedServer;

Request to(const Url& url, Method method = Method::get) {
  Request request{.method = method, .url = url};
  request.allow_plain_http = true;
  return request;
}

CurlClient client() {
  return CurlClient({.user_agent = "airgap-test"});
}

std::string body_of(Response& response) {
  return io::read_all(response, 64 << 20, "body");
}

/// The error of a GET of what `answer` sends, read to its end.
std::string failure_of(const std::string& answer, bool& retryable) {
  const ScriptedServer server([&](Peer& peer) {
    peer.read_head();
    peer.send(answer);
  });
  CurlClient http = client();
  try {
    const auto response = http.send(to(server.url()));
    body_of(*response);
  } catch (const TransferError& error) {
    retryable = error.retryable();
    return error.message();
  }
  return "no failure";
}

}  // namespace

TEST_CASE("a request is sent as asked and its answer comes back whole") {
  task::Guarded<std::string> sent;
  const ScriptedServer server([&](Peer& peer) {
    sent.with([&](std::string& head) { head = peer.read_head(); });
    peer.send(
        "HTTP/1.1 206 Partial Content\r\nContent-Length: 5\r\nContent-Range: bytes 5-9/10\r\n\r\nhello");
    peer.wait_for_close();
  });
  {
    CurlClient http = client();
    Request request = to(server.url("/v2/a/../b?x=%2f&y"));
    request.headers.add("Range", "bytes=5-9");
    request.headers.add("Accept", "application/json");
    const auto response = http.send(request);
    CHECK(response->status() == 206);
    CHECK(response->head().content_length == 5);
    CHECK(response->head().headers.find("content-range") == "bytes 5-9/10");
    CHECK(response->head().remote_address == "127.0.0.1");
    CHECK(response->head().url == request.url);
    CHECK(body_of(*response) == "hello");
  }
  const std::string seen = sent.with([](const std::string& head) { return head; });
  CHECK(seen.starts_with("GET /v2/a/../b?x=%2f&y HTTP/1.1\r\n"));
  CHECK(seen.find("\r\nUser-Agent: airgap-test\r\n") != std::string::npos);
  CHECK(seen.find("\r\nRange: bytes=5-9\r\n") != std::string::npos);
  CHECK(seen.find("\r\nAccept: application/json\r\n") != std::string::npos);
  CHECK(seen.find("Accept-Encoding") == std::string::npos);
  CHECK(seen.find("Cookie") == std::string::npos);
}

TEST_CASE("a large body arrives byte for byte through buffers of any size") {
  std::string body;
  for (int i = 0; body.size() < 5'000'000; ++i) body += std::to_string(i) + ",";
  const ScriptedServer server(ScriptedServer::answering(
      "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body));
  CurlClient http = client();
  for (const std::size_t size : {16384U, 20'001U, 262'144U, 1'000'003U}) {
    CAPTURE(size);
    const auto response = http.send(to(server.url()));
    std::vector<std::byte> buffer(size);
    std::string got;
    while (const std::size_t count = response->read(buffer)) {
      got.append(io::text_of(std::span(buffer).first(count)));
    }
    CHECK(got == body);
    CHECK(response->read(buffer) == 0);
  }
  CHECK(server.accepted() == 1);
}

TEST_CASE("chunked bodies and bodies that end with the connection are read to their end") {
  const ScriptedServer chunked(
      ScriptedServer::answering("HTTP/1.1 200 OK\r\nTransfer-Encoding: "
                                "chunked\r\n\r\n3\r\nabc\r\n2;ext=1\r\nde\r\n0\r\nX-Trailer: 1\r\n\r\n"));
  const ScriptedServer closed([](Peer& peer) {
    peer.read_head();
    peer.send("HTTP/1.1 200 OK\r\n\r\nabcde");
  });
  CurlClient http = client();
  for (const ScriptedServer* server : {&chunked, &closed}) {
    const auto response = http.send(to(server->url()));
    CHECK_FALSE(response->head().content_length);
    CHECK(body_of(*response) == "abcde");
  }
}

TEST_CASE("an answer to HEAD has a length and no body, and its connection is used again") {
  const ScriptedServer server(ScriptedServer::answering("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"));
  CurlClient http = client();
  for (int i = 0; i < 3; ++i) {
    const auto response = http.send(to(server.url(), Method::head));
    CHECK(response->head().content_length == 1000);
    CHECK(body_of(*response).empty());
  }
  CHECK(server.accepted() == 1);
}

TEST_CASE("informational answers before the final one are passed over") {
  const ScriptedServer server(
      ScriptedServer::answering("HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: "
                                "x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"));
  CurlClient http = client();
  const auto response = http.send(to(server.url()));
  CHECK(response->status() == 200);
  CHECK_FALSE(response->head().headers.find("Link"));
  CHECK(body_of(*response) == "ok");
}

TEST_CASE("broken answers are refused, and those that a second attempt may heal say so") {
  struct Row {
    const char* what;
    std::string answer;
    const char* says;
    bool retryable;
  };
  const std::string ok = "HTTP/1.1 200 OK\r\n";
  const std::vector<Row> table{
      {"nothing at all", "", "Empty reply", true},
      {"a cut body", ok + "Content-Length: 10\r\n\r\nabc", "got 3 of 10 bytes", true},
      {"a cut head", ok + "Content-Le", "", true},
      {"two lengths", ok + "Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", "ambiguous length", false},
      {"a negative length", ok + "Content-Length: -3\r\n\r\nabc", "ambiguous length", false},
      {"an overflowing length", ok + "Content-Length: 99999999999999999999\r\n\r\nabc", "ambiguous length",
       false},
      {"a bad chunk size", ok + "Transfer-Encoding: chunked\r\n\r\nxyz\r\nabc", "", true},
      {"no last chunk", ok + "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", "broke after 3 bytes", true},
      {"no HTTP", "SSH-2.0-OpenSSH_9.2\r\n", "does not answer as an HTTP server", false},
  };
  for (const Row& row : table) {
    CAPTURE(row.what);
    bool retryable = false;
    const std::string message = failure_of(row.answer, retryable);
    CAPTURE(message);
    CHECK(message != "no failure");
    CHECK(message.find(row.says) != std::string::npos);
    CHECK(retryable == row.retryable);
  }
}

TEST_CASE("floods of headers and of informational answers are cut off") {
  const auto flood = [](std::string piece) {
    return [piece = std::move(piece)](Peer& peer) {
      peer.read_head();
      std::string block;
      while (block.size() < 100'000) block += piece;
      peer.send(piece.starts_with("HTTP") ? "" : "HTTP/1.1 200 OK\r\n");
      for (int i = 0; i < 40 && peer.send(block); ++i) {
      }
    };
  };
  for (const std::string& piece :
       {std::string("HTTP/1.1 100 Continue\r\n\r\n"), std::string("X-Filler: aaaaaaaaaaaa\r\n"),
        "X-Long: " + std::string(2'000'000, 'a')}) {
    const ScriptedServer server(flood(piece));
    CurlClient http = client();
    CHECK_THROWS_AS(http.send(to(server.url())), TransferError);
  }
}

TEST_CASE("what came before a body broke is delivered before the failure") {
  const ScriptedServer server([](Peer& peer) {
    peer.read_head();
    peer.send("HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n" + std::string(200'000, 'x'));
  });
  CurlClient http = client();
  const auto response = http.send(to(server.url()));
  std::vector<std::byte> buffer(16384);
  std::size_t total = 0;
  const auto read_all = [&] {
    while (const std::size_t count = response->read(buffer)) total += count;
  };
  CHECK_THROWS_WITH_AS(read_all(), doctest::Contains("got 200000 of 300000 bytes"), TransferError);
  CHECK(total == 200'000);
  CHECK_THROWS_AS(response->read(buffer), TransferError);  // and it stays broken
}

TEST_CASE("a short body that nobody reads does not cost the connection, a long one does") {
  const ScriptedServer server([](Peer& peer) {
    for (;;) {
      const std::string head = peer.read_head();
      if (head.empty()) return;
      const std::size_t size = head.starts_with("GET /short") ? 1000 : 50'000'000;
      peer.send("HTTP/1.1 404 Not Found\r\nContent-Length: " + std::to_string(size) + "\r\n\r\n" +
                std::string(size, 'x'));
    }
  });
  CurlClient http = client();
  for (int i = 0; i < 3; ++i) http.send(to(server.url("/short")));
  CHECK(server.accepted() == 1);
  http.send(to(server.url("/long")));
  CHECK(body_of(*http.send(to(server.url("/short")))).size() == 1000);
  CHECK(server.accepted() == 2);
}

TEST_CASE("transfers at one time have a connection each, later ones use them again") {
  const ScriptedServer server(ScriptedServer::answering("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" +
                                                        std::string(100'000, 'x')));
  CurlClient http = client();
  for (int round = 0; round < 2; ++round) {
    const auto first = http.send(to(server.url()));
    const auto second = http.send(to(server.url()));
    CHECK(body_of(*second).size() == 100'000);
    CHECK(body_of(*first).size() == 100'000);
  }
  CHECK(server.accepted() == 2);
}

TEST_CASE("a kept connection that turns out dead is replaced without anybody noticing") {
  const ScriptedServer server([](Peer& peer) {
    peer.read_head();
    peer.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    peer.read_head();  // and hangs up instead of an answer
  });
  CurlClient http = client();
  for (int i = 0; i < 3; ++i) CHECK(body_of(*http.send(to(server.url()))) == "ok");
  CHECK(server.accepted() == 3);
}

TEST_CASE("a response outlives its client") {
  const ScriptedServer server(ScriptedServer::answering("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" +
                                                        std::string(100'000, 'x')));
  std::unique_ptr<Response> response;
  {
    CurlClient http = client();
    response = http.send(to(server.url()));
  }
  CHECK(body_of(*response).size() == 100'000);
}

TEST_CASE("a stop request ends the wait for a silent server within a second") {
  for (const bool in_body : {false, true}) {
    CAPTURE(in_body);
    const ScriptedServer server([in_body](Peer& peer) {
      peer.read_head();
      if (in_body) peer.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n");
      peer.wait_for_close();
    });
    std::stop_source stop;
    CurlClient http({.user_agent = "test", .stop = stop.get_token()});
    std::chrono::steady_clock::time_point asked;
    std::jthread other([&] {
      while (server.accepted() == 0) std::this_thread::yield();
      asked = std::chrono::steady_clock::now();
      stop.request_stop();
    });
    const auto transfer = [&] { body_of(*http.send(to(server.url()))); };
    CHECK_THROWS_AS(transfer(), diag::Interrupted);
    const auto ended = std::chrono::steady_clock::now();
    other.join();
    CHECK(ended - asked < 1s);
    CHECK_THROWS_AS(http.send(to(server.url())), diag::Interrupted);
  }
}

TEST_CASE("a server that falls silent is a stall, in its head and in its body") {
  for (const std::string& answer :
       {std::string(), std::string("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")}) {
    const ScriptedServer server([&](Peer& peer) {
      peer.read_head();
      peer.send(answer);
      peer.wait_for_close();
    });
    CurlClient http({.user_agent = "test", .stall_timeout = 1s, .stop = {}});
    const auto transfer = [&] { body_of(*http.send(to(server.url()))); };
    CHECK_THROWS_WITH_AS(transfer(), doctest::Contains("stalled"), TransferError);
  }
}

TEST_CASE("a reader that takes its time is not a stall") {
  const ScriptedServer server(ScriptedServer::answering("HTTP/1.1 200 OK\r\nContent-Length: 9000000\r\n\r\n" +
                                                        std::string(9'000'000, 'x')));
  CurlClient http({.user_agent = "test", .stall_timeout = 1s, .stop = {}});
  const auto response = http.send(to(server.url()));
  std::this_thread::sleep_for(1500ms);
  CHECK(body_of(*response).size() == 9'000'000);
}

TEST_CASE("plain http and private addresses need permission, and nothing is sent without it") {
  const ScriptedServer server(ScriptedServer::answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"));
  CurlClient http = client();
  Request plain{.url = server.url()};
  CHECK_THROWS_WITH_AS(http.send(plain), doctest::Contains("refused to speak plain http"), diag::UnsafeError);
  Request literal = to(server.url());
  literal.addresses = AddressRule::public_only;
  CHECK_THROWS_WITH_AS(http.send(literal), doctest::Contains("private address 127.0.0.1"), diag::UnsafeError);
  Request named = to(Url::parse("http://localhost:" + std::to_string(server.url().origin().port) + "/"));
  CHECK(http.send(named)->status() == 200);  // leaves a connection behind that the next one must not use
  named.addresses = AddressRule::public_only;
  CHECK_THROWS_WITH_AS(http.send(named), doctest::Contains("localhost is at the private address"),
                       diag::UnsafeError);
  CHECK(server.accepted() == 1);
}

TEST_CASE("a header that would break out of its line is refused") {
  CurlClient http = client();
  for (const std::string& value : {std::string("a\r\nX: 1"), std::string("a\nb"), std::string("a\0b", 3)}) {
    Request request = to(Url::parse("http://127.0.0.1:1/"));
    request.headers.add("Authorization", value);
    CHECK_THROWS_AS(http.send(request), diag::UnsafeError);
  }
}

TEST_CASE("a host name that does not resolve says so each time, and does no harm to what follows") {
  CurlClient http = client();
  for (int i = 0; i < 2; ++i) {
    CHECK_THROWS_WITH_AS(http.send(to(Url::parse("http://nowhere.invalid/"))),
                         doctest::Contains("cannot resolve the host name nowhere.invalid"), TransferError);
  }
}

TEST_CASE("a refused connection says where") {
  std::string origin;
  {
    const ScriptedServer gone([](Peer&) {});
    origin = gone.url().origin().str();
  }
  CurlClient http = client();
  CHECK_THROWS_WITH_AS(http.send(to(Url::parse(origin + "/"))),
                       doctest::Contains("cannot connect to http://127.0.0.1:"), TransferError);
}

}  // namespace airgap::http
