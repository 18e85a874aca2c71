#include "exporter/resolve/kept_documents.hpp"

#include <doctest/doctest.h>

#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

using namespace airgap;
using Kept = exporter::KeptDocuments<int, std::string>;

namespace {

Kept kept(std::uint64_t most_bytes) {
  return {most_bytes, &std::string::size};
}

}  // namespace

TEST_CASE("a document is read once however many ask for it at once") {
  Kept documents = kept(100);
  std::atomic<int> reads = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      const auto text = documents.get(1, [&] {
        ++reads;
        return std::make_shared<const std::string>("one");
      });
      CHECK(*text == "one");
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(reads == 1);
  CHECK(documents.all().size() == 1);
}

TEST_CASE("what is beyond the bound is handed out and not kept") {
  Kept documents = kept(5);
  int reads = 0;
  const auto four = [&] {
    ++reads;
    return std::make_shared<const std::string>("four");
  };
  for (int i = 0; i < 2; ++i) {
    CHECK(*documents.get(1, four) == "four");
    CHECK(*documents.get(2, four) == "four");
  }
  CHECK(reads == 3);
  CHECK(documents.all().size() == 1);
}

TEST_CASE("a failure, and nothing, are not kept") {
  Kept documents = kept(100);
  CHECK_THROWS_AS(documents.get(1, []() -> Kept::Pointer { throw std::runtime_error("no"); }),
                  std::runtime_error);
  CHECK(documents.get(1, [] { return Kept::Pointer{}; }) == nullptr);
  CHECK(*documents.get(1, [] { return std::make_shared<const std::string>("yes"); }) == "yes");
}
