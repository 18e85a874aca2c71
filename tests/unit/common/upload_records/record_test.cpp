#include "common/upload_records/record.hpp"

#include <doctest/doctest.h>

#include <string>

#include "common/hash/hasher.hpp"

namespace airgap::upload_records {
namespace {

const registry::UploadKey k_key{"https://reg.example:5000", "team/app", hash::sha256_of("x"), 1000};
const registry::UploadState k_state{"https://reg.example:5000/v2/team/app/up/1?_state=a%2Fb", 600, 5};
constexpr Time k_now{std::chrono::sys_days(std::chrono::year{2026} / 1 / 31)};

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  REQUIRE(text.find(from) != text.npos);
  return text.replace(text.find(from), from.size(), to);
}

TEST_CASE("a record says what it was told, for seven days") {
  const std::string text = write_record(k_key, k_state, k_now);
  CHECK(read_record(text, k_key, k_now) == k_state);
  CHECK(read_record(text, k_key, k_now + std::chrono::days(7)) == k_state);
  CHECK(!read_record(text, k_key, k_now + std::chrono::days(7) + std::chrono::seconds(1)));
  CHECK(!read_record(text, k_key, k_now - std::chrono::seconds(1)));
}

TEST_CASE("a record of another upload is none") {
  const std::string text = write_record(k_key, k_state, k_now);
  auto with = [](auto change) {
    registry::UploadKey key = k_key;
    change(key);
    return key;
  };
  CHECK(!read_record(text, with([](auto& key) { key.origin = "http://reg.example:5000"; }), k_now));
  CHECK(!read_record(text, with([](auto& key) { key.repository = "team/other"; }), k_now));
  CHECK(!read_record(text, with([](auto& key) { key.digest = hash::sha256_of("y"); }), k_now));
  CHECK(!read_record(text, with([](auto& key) { key.size = 1001; }), k_now));
}

TEST_CASE("a damaged or hostile record is none") {
  const std::string text = write_record(k_key, k_state, k_now);
  for (const std::string& bad :
       {std::string(), std::string("{"), std::string("[]"), std::string("null"), std::string("\0\0", 2),
        text.substr(0, text.size() / 2), text + "x", text + std::string(k_max_record, ' '),
        replaced(text, "\"version\": 1", "\"version\": 2"), replaced(text, "600", "-1"),
        replaced(text, "600", "1001"), replaced(text, "600", "\"600\""),
        replaced(text, "\"taken\"", "\"size\""), replaced(text, "\"location\"", "\"Location\""),
        replaced(text, "\"time\"", "\"when\""),
        replaced(text, "\"min_chunk\": 5", "\"min_chunk\": 18446744073709551616")}) {
    CAPTURE(bad);
    CHECK(!read_record(bad, k_key, k_now));
  }
}

}  // namespace
}  // namespace airgap::upload_records
