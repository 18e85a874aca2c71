#include "common/http/redirecting_client.hpp"

#include <doctest/doctest.h>

#include <vector>

#include "tests/support/fake_http_client.hpp"

namespace airgap::http {
namespace {

using test::FakeAnswer;
using test::FakeHttpClient;

constexpr const char* k_public = "93.184.216.34";

FakeAnswer redirect(const char* location, int status = 307, const char* address = k_public) {
  return {.status = status, .headers = {{"Location", location}}, .remote_address = address};
}

Request get(const char* url, Method method = Method::get) {
  Request request{.method = method, .url = Url::parse(url)};
  request.headers.add("Authorization", "Bearer secret");
  request.headers.add("X-Registry-Auth", "secret");
  request.headers.add("x-meta", "1");
  request.headers.add("Range", "bytes=5-");
  request.allow_plain_http = request.url.origin().scheme == "http";
  return request;
}

OriginSettings nothing_known(const Origin&) {
  return {};
}

}  // namespace

TEST_CASE("a redirect to another origin is followed without credentials and to public addresses only") {
  for (const int status : {301, 302, 303, 307, 308}) {
    CAPTURE(status);
    FakeHttpClient inner;
    inner.next("GET https://r.example/blob", redirect("https://cdn.example/x?sig=1", status));
    inner.next("GET https://cdn.example/x?sig=1", {.body = "data"});
    RedirectingClient client(inner, nothing_known);
    const auto response = client.send(get("https://r.example/blob"));
    CHECK(response->status() == 200);
    CHECK(response->head().url.str() == "https://cdn.example/x?sig=1");
    const auto second = inner.requests().at(1);
    CHECK(second.header("Authorization").empty());
    CHECK(second.header("X-Registry-Auth").empty());
    CHECK(second.header("X-Meta").empty());
    CHECK(second.header("Range") == "bytes=5-");
    CHECK(second.addresses == AddressRule::public_only);
  }
}

TEST_CASE("another port is another origin") {
  FakeHttpClient inner;
  inner.next("GET https://r.example/blob", redirect("https://r.example:8443/x"));
  inner.next("GET https://r.example:8443/x", {});
  RedirectingClient(inner, nothing_known).send(get("https://r.example/blob"));
  CHECK(inner.requests().at(1).header("Authorization").empty());
}

TEST_CASE("a redirect within the origin keeps credentials and address rule") {
  FakeHttpClient inner;
  inner.next("HEAD https://r.example/blob", redirect("/other"));
  inner.next("HEAD https://r.example/other", {});
  RedirectingClient(inner, nothing_known).send(get("https://r.example/blob", Method::head));
  CHECK(inner.requests().at(1).header("Authorization") == "Bearer secret");
  CHECK(inner.requests().at(1).addresses == AddressRule::any);
}

TEST_CASE("credentials do not come back when a chain returns to the first origin") {
  FakeHttpClient inner;
  inner.next("GET https://r.example/blob", redirect("https://evil.example/x"));
  inner.next("GET https://evil.example/x", redirect("https://r.example/private"));
  inner.next("GET https://r.example/private", {});
  RedirectingClient(inner, nothing_known).send(get("https://r.example/blob"));
  CHECK(inner.requests().at(2).header("Authorization").empty());
}

TEST_CASE(
    "private addresses are open to a first origin that is inside itself, and to hosts that were named") {
  const auto rule_after = [](const char* first_address, bool named) {
    FakeHttpClient inner;
    inner.next("GET https://r.example/blob", redirect("https://store.example/x", 307, first_address));
    inner.next("GET https://store.example/x", {});
    const auto lookup = [named](const Origin&) { return OriginSettings{.tls = nullptr, .named = named}; };
    RedirectingClient(inner, lookup).send(get("https://r.example/blob"));
    return inner.requests().at(1).addresses;
  };
  CHECK(rule_after("10.0.0.5", false) == AddressRule::any);
  CHECK(rule_after("127.0.0.1", false) == AddressRule::any);
  CHECK(rule_after(k_public, true) == AddressRule::any);
  CHECK(rule_after(k_public, false) == AddressRule::public_only);
  CHECK(rule_after("", false) == AddressRule::public_only);  // through a proxy: not known
}

TEST_CASE("each origin is met with its own TLS settings and plain-http permission") {
  const auto tls = std::make_shared<const TlsSettings>(TlsSettings{.verify = false});
  FakeHttpClient inner;
  inner.next("GET http://r.example/blob", redirect("http://store.example:9000/x"));
  inner.next("GET http://store.example:9000/x", {});
  const auto lookup = [&](const Origin& origin) {
    return OriginSettings{.tls = tls, .allow_plain_http = origin.host == "store.example", .named = true};
  };
  RedirectingClient(inner, lookup).send(get("http://r.example/blob"));
  CHECK(inner.requests().at(1).tls == tls);
  CHECK(inner.requests().at(1).allow_plain_http);
}

TEST_CASE("redirects that lead out of safety are refused and nothing is sent there") {
  for (const char* location :
       {"http://r.example/x", "http://127.0.0.1/x", "file:///etc/passwd", "ftp://r.example/x",
        "gopher://r.example/", "https://user:pw@r.example/x", "https://r.example/a b"}) {
    CAPTURE(location);
    FakeHttpClient inner;
    inner.next("GET https://r.example/blob", redirect(location));
    RedirectingClient client(inner, nothing_known);
    CHECK_THROWS_AS(client.send(get("https://r.example/blob")), diag::UnsafeError);
    CHECK(inner.requests().size() == 1);
  }
}

TEST_CASE("a redirect without a target, and more than five hops, end the attempt") {
  FakeHttpClient inner;
  inner.always("GET https://r.example/loop", redirect("/loop"));
  inner.next("GET https://r.example/nowhere", {.status = 302});
  RedirectingClient client(inner, nothing_known);
  CHECK_THROWS_WITH_AS(client.send(get("https://r.example/loop")), doctest::Contains("more than 5 times"),
                       TransferError);
  CHECK(inner.requests().size() == 6);
  CHECK_THROWS_WITH_AS(client.send(get("https://r.example/nowhere")),
                       doctest::Contains("without saying where"), TransferError);
}

TEST_CASE("a request that changes something is never sent elsewhere") {
  for (const Method method : {Method::post, Method::put, Method::patch, Method::delete_}) {
    FakeHttpClient inner;
    inner.next(std::string(name(method)) + " https://r.example/up", redirect("https://other.example/"));
    RedirectingClient client(inner, nothing_known);
    CHECK(client.send(get("https://r.example/up", method))->status() == 307);
    CHECK(inner.requests().size() == 1);
  }
}

TEST_CASE("300 and 304 are answers, not redirects") {
  FakeHttpClient inner;
  inner.next("GET https://r.example/a", {.status = 304, .headers = {{"Location", "/b"}}});
  CHECK(RedirectingClient(inner, nothing_known).send(get("https://r.example/a"))->status() == 304);
}

}  // namespace airgap::http
