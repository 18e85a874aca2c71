#include "common/http/message.hpp"

#include <doctest/doctest.h>

namespace airgap::http {

TEST_CASE("header names compare without case and keep their order") {
  Headers headers;
  headers.add("Link", "a");
  headers.add("ETag", "x");
  headers.add("link", "b");
  CHECK(headers.find("LINK") == "a");
  CHECK(headers.all("Link") == std::vector<std::string>{"a", "b"});
  CHECK_FALSE(headers.find("Lin"));
  headers.set("Link", "c");
  CHECK(headers.all("link") == std::vector<std::string>{"c"});
  headers.remove("etag");
  CHECK(headers.fields().size() == 1);
}

TEST_CASE("a body in memory can be opened for each attempt, and outlives the request") {
  std::function<std::unique_ptr<io::Source>()> open;
  {
    Request request{.url = Url::parse("https://h/")};
    set_body(request, "{}", "application/json");
    CHECK(request.body_size == 2);
    CHECK(request.headers.find("Content-Type") == "application/json");
    open = request.open_body;
  }
  const auto source = open();
  CHECK(io::read_all(*open(), 10, "body") == "{}");
  open = nullptr;
  CHECK(io::read_all(*source, 10, "body") == "{}");
}

}  // namespace airgap::http
