#include "exporter/fetch_order.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "common/diag/error.hpp"
#include "common/task/for_each.hpp"

using namespace airgap;
using exporter::FetchOrder;

namespace {

constexpr std::uint64_t k_small = FetchOrder::k_large - 1;

}  // namespace

TEST_CASE("blobs begin in order, and a large one runs alone") {
  const std::vector<std::uint64_t> sizes{
      k_small, k_small, FetchOrder::k_large, k_small, FetchOrder::k_large, FetchOrder::k_large,
      k_small, k_small};
  FetchOrder order;
  std::atomic<std::size_t> begun = 0;
  std::atomic<int> running = 0;
  std::atomic<bool> wrong = false;
  task::for_each_index(sizes.size(), 4, {}, [&](std::size_t index) {
    if (!order.begin(index, sizes[index], {})) wrong = true;
    const int beside = running++;
    // Several small ones may have begun by now; nothing behind a large one has.
    const std::size_t now = ++begun;
    if (sizes[index] >= FetchOrder::k_large && (beside != 0 || now != index + 1)) wrong = true;
    std::this_thread::yield();
    if (sizes[index] >= FetchOrder::k_large && running != 1) wrong = true;
    --running;
    order.end();
  });
  CHECK(begun == sizes.size());
  CHECK_FALSE(wrong);
}

TEST_CASE("who waits for a large blob is told when it is given up, and stops on a stop") {
  FetchOrder order;
  REQUIRE(order.begin(0, FetchOrder::k_large, {}));
  bool goes_on = true;
  std::jthread waits([&] { goes_on = order.begin(1, k_small, {}); });
  order.give_up();
  waits.join();
  CHECK_FALSE(goes_on);

  FetchOrder other;
  REQUIRE(other.begin(0, FetchOrder::k_large, {}));
  bool interrupted = false;
  std::jthread stopped([&](const std::stop_token& stop) {
    try {
      other.begin(1, k_small, stop);
    } catch (const diag::Interrupted&) {
      interrupted = true;
    }
  });
  stopped.request_stop();
  stopped.join();
  CHECK(interrupted);
}
