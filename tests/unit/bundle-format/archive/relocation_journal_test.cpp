#include "bundle-format/archive/relocation_journal.hpp"

#include <doctest/doctest.h>

#include <array>

#include "common/hash/hasher.hpp"

using namespace airgap;
using namespace airgap::bundle;

namespace {

BlobMove move(const std::string& text, std::uint64_t from, std::uint64_t to) {
  const auto at = [&](std::uint64_t header) {
    return tar::Place{.header = header, .header_size = 512, .data = header + 512, .size = text.size()};
  };
  return {.blob = {hash::sha256_of(text), text.size(), BlobKind::layer, text.size()},
          .from = at(from),
          .to = at(to)};
}

const std::vector<BlobMove> k_moves{move("one", 1024, 2048), move("three", 4096, 1024)};

}  // namespace

TEST_CASE("a journal reads back as it was written") {
  CHECK(parse_journal(journal_text(k_moves)) == k_moves);
  CHECK(parse_journal(journal_text({})).empty());
}

TEST_CASE("a journal that is cut or changed anywhere says nothing wrong") {
  const std::string whole = journal_text(k_moves);
  for (std::size_t length = 0; length < whole.size(); ++length) {
    CAPTURE(length);
    CHECK(parse_journal(whole.substr(0, length)).empty());
  }
  const std::array bad{"airgap-moving 2\nend\n", "airgap-moving 1\nx\nend\n", "airgap-moving 1\n\nend\n",
                       "airgap-moving 1\nsha256:00 2 1 0 512 0 512\nend\n"};
  for (const char* text : bad) CHECK(parse_journal(text).empty());
  std::string kind = whole;
  kind.replace(kind.find(" 2 "), 3, " 3 ");
  CHECK(parse_journal(kind).empty());
}
