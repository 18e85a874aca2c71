#include "common/task/for_each.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <set>
#include <stdexcept>
#include <vector>

#include "common/diag/error.hpp"
#include "common/task/guarded.hpp"

namespace airgap::task {

TEST_CASE("every index is visited once, however many jobs there are") {
  for (const std::size_t jobs : {1, 2, 7, 100}) {
    CAPTURE(jobs);
    std::vector<std::atomic<int>> visits(50);
    for_each_index(visits.size(), jobs, {}, [&](std::size_t i) { ++visits[i]; });
    for (const auto& count : visits) CHECK(count == 1);
  }
}

TEST_CASE("one job visits in order") {
  std::vector<std::size_t> order;
  for_each_index(4, 1, {}, [&](std::size_t i) { order.push_back(i); });
  CHECK(order == std::vector<std::size_t>{0, 1, 2, 3});
}

TEST_CASE("nothing is done for no items") {
  for_each_index(0, 4, {}, [](std::size_t) { FAIL("called"); });
}

TEST_CASE("a failure stops the start of further items and is thrown") {
  std::vector<std::size_t> done;
  const auto work = [&](std::size_t i) {
    if (i == 2) throw std::runtime_error("third");
    done.push_back(i);
  };
  CHECK_THROWS_WITH(for_each_index(10, 1, {}, work), "third");
  CHECK(done == std::vector<std::size_t>{0, 1});
}

TEST_CASE("what already runs is finished before a failure is thrown") {
  std::atomic<bool> other_runs = false;
  std::atomic<bool> failed = false;
  std::atomic<int> finished = 0;
  const auto work = [&](std::size_t i) {
    if (i == 0) {
      other_runs.wait(false);
      failed = true;
      failed.notify_all();
      throw std::runtime_error("first");
    }
    other_runs = true;
    other_runs.notify_all();
    failed.wait(false);
    ++finished;
  };
  CHECK_THROWS_WITH(for_each_index(2, 2, {}, work), "first");
  CHECK(finished == 1);
}

TEST_CASE("a stop request with items left is Interrupted") {
  std::stop_source stop;
  std::size_t done = 0;
  const auto work = [&](std::size_t) {
    if (++done == 3) stop.request_stop();
  };
  CHECK_THROWS_AS(for_each_index(10, 1, stop.get_token(), work), diag::Interrupted);
  CHECK(done == 3);
}

TEST_CASE("a stop request during the last item leaves nothing to interrupt") {
  std::stop_source stop;
  CHECK_NOTHROW(for_each_index(1, 4, stop.get_token(), [&](std::size_t) { stop.request_stop(); }));
}

TEST_CASE("a guarded value is changed by one thread at a time") {
  Guarded<std::set<std::size_t>> seen;
  for_each_index(200, 4, {}, [&](std::size_t i) { seen.with([i](auto& set) { set.insert(i); }); });
  CHECK(seen.with([](const auto& set) { return set.size(); }) == 200);
}

}  // namespace airgap::task
