#include "common/http/head_parser.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "common/http/client.hpp"

namespace airgap::http {
namespace {

HeadParser parse(const std::vector<std::string>& lines) {
  HeadParser parser;
  for (const std::string& line : lines) parser.line(line + "\r\n");
  return parser;
}

}  // namespace

TEST_CASE("a head is complete at its empty line") {
  HeadParser parser = parse({"HTTP/1.1 200 OK", "Content-Length:  5 ", "ETag:"});
  CHECK_FALSE(parser.complete());
  parser.line("\r\n");
  CHECK(parser.complete());
  CHECK(parser.head().status == 200);
  CHECK(parser.head().content_length == 5);
  CHECK(parser.head().headers.find("etag") == "");
}

TEST_CASE("informational answers are passed over and leave no fields") {
  const HeadParser parser = parse({"HTTP/1.1 100 Continue", "A: 1", "", "HTTP/1.1 103 Early Hints", "Link: x",
                                   "", "HTTP/1.1 201 Created", "Location: /x", ""});
  CHECK(parser.complete());
  CHECK(parser.head().status == 201);
  CHECK(parser.head().headers.fields().size() == 1);
}

TEST_CASE("trailers do not change the head") {
  const HeadParser parser = parse({"HTTP/1.1 200 OK", "", "X-Trailer: 1", "HTTP/1.1 500 no", ""});
  CHECK(parser.head().status == 200);
  CHECK(parser.head().headers.fields().empty());
}

TEST_CASE("lengths that agree are one length") {
  CHECK(parse({"HTTP/1.1 200 OK", "Content-Length: 5", "content-length: 5", ""}).head().content_length == 5);
  CHECK(parse({"HTTP/1.1 200 OK", "Content-Length: 5, 5", ""}).head().content_length == 5);
}

TEST_CASE("a chunked body has no length beforehand") {
  CHECK_FALSE(parse({"HTTP/1.1 200 OK", "Content-Length: 5", "Transfer-Encoding: chunked", ""})
                  .head()
                  .content_length);
}

TEST_CASE("lengths that leave a choice are refused") {
  for (const char* field :
       {"Content-Length: 5, 6", "Content-Length: -1", "Content-Length: +5", "Content-Length: 5x",
        "Content-Length: 0x5", "Content-Length:", "Content-Length: 9223372036854775808",
        "Content-Length: 99999999999999999999", "Content-Length: 5,"}) {
    CAPTURE(field);
    CHECK_THROWS_WITH_AS(parse({"HTTP/1.1 200 OK", field, ""}), doctest::Contains("ambiguous length"),
                         TransferError);
  }
  CHECK_THROWS_WITH_AS(parse({"HTTP/1.1 200 OK", "Content-Length: 5", "Content-Length: 7", ""}),
                       doctest::Contains("ambiguous length"), TransferError);
}

TEST_CASE("heads are capped, informational ones included") {
  HeadParser parser;
  const auto flood = [&] {
    for (int i = 0; i < 100'000; ++i) {
      parser.line("HTTP/1.1 100 Continue\r\n");
      parser.line("\r\n");
    }
  };
  CHECK_THROWS_WITH_AS(flood(), doctest::Contains("headers are larger"), TransferError);
}

}  // namespace airgap::http
