#include "common/json/writer.hpp"

#include <doctest/doctest.h>

#include <limits>

#include "common/diag/error.hpp"
#include "common/json/reader.hpp"

namespace airgap::json {
namespace {

void write_sample(Writer& writer) {
  writer.begin_object();
  writer.member("name", "a\"b\n\u00e9").member("bytes", std::numeric_limits<std::uint64_t>::max());
  writer.member("delta", -5).member("ok", true).member("seconds", 1.25);
  writer.member("absent", std::optional<std::string>()).member("there", std::optional<std::string>("x"));
  writer.key("none").null().key("list").begin_array().value(1U).value(std::string("two")).end_array();
  writer.key("empty").begin_object().end_object().key("raw").raw(R"({"kept":  1})");
  writer.end_object();
}

TEST_CASE("pretty text is indented by two spaces, in the order of the calls, with a newline at its end") {
  Writer writer;
  write_sample(writer);
  CHECK(writer.str() == R"({
  "name": "a\"b\n)"
                        "\u00e9"
                        R"(",
  "bytes": 18446744073709551615,
  "delta": -5,
  "ok": true,
  "seconds": 1.25,
  "there": "x",
  "none": null,
  "list": [
    1,
    "two"
  ],
  "empty": {},
  "raw": {"kept":  1}
}
)");
}

TEST_CASE("compact text is one line") {
  Writer writer(Writer::Style::compact);
  write_sample(writer);
  CHECK(writer.str() ==
        "{\"name\":\"a\\\"b\\n\u00e9\",\"bytes\":18446744073709551615,\"delta\":-5,\"ok\":true,\"seconds\":1."
        "25,"
        "\"there\":\"x\",\"none\":null,\"list\":[1,\"two\"],\"empty\":{},\"raw\":{\"kept\":  1}}");
}

TEST_CASE("control characters are escaped so that a document is one line and safe to read back") {
  const std::string odd("\x01\x1b\0\x7f", 4);
  Writer writer(Writer::Style::compact);
  writer.begin_array().value(odd).end_array();
  CHECK(writer.str() == "[\"\\u0001\\u001B\\u0000\x7f\"]");
}

TEST_CASE("text that is not UTF-8 is not written") {
  for (const std::string_view bad : {"\xff", "a\xc0\xaf", "\xed\xa0\x80", "\xe2\x82"}) {
    Writer writer;
    writer.begin_object();
    CHECK_THROWS_WITH_AS(writer.key(bad), doctest::Contains("is not valid UTF-8"), diag::FormatError);
    writer.key("k");
    CHECK_THROWS_AS(writer.value(bad), diag::FormatError);
  }
}

TEST_CASE("seconds have at most three decimals, and unfinished text is our own mistake") {
  Writer writer(Writer::Style::compact);
  writer.begin_array().value(0.123456).value(2.0);
  CHECK_THROWS_AS(static_cast<void>(writer.str()), diag::InternalError);
  CHECK_THROWS_AS(writer.value(std::numeric_limits<double>::infinity()), diag::InternalError);
  CHECK(writer.end_array().str() == "[0.123,2.0]");
}

}  // namespace
}  // namespace airgap::json
