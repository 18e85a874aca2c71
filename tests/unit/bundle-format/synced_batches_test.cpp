#include "bundle-format/synced_batches.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <latch>
#include <thread>

using namespace airgap;
using Batches = bundle::SyncedBatches<int>;
using Items = std::vector<int>;

TEST_CASE("what is added goes on in batches, each synced before it is published") {
  std::vector<std::string> steps;
  const auto say = [&](const char* what) {
    return [&, what](const Items& batch) { steps.push_back(what + std::to_string(batch.size())); };
  };
  {
    Batches batches("out", {.sync = say("sync "), .publish = say("publish "), .forget = say("forget ")});
    batches.add(1, 10);
    CHECK(batches.waiting([](int item) { return item == 1; }));
    batches.add(2, std::uint64_t{1} << 30);
    CHECK_FALSE(batches.waiting([](int item) { return item == 1; }));
    batches.add(3, 10);
    batches.publish_rest();
    batches.add(4, 10);
  }
  CHECK(steps == std::vector<std::string>{"sync 2", "publish 2", "sync 1", "publish 1"});
}

TEST_CASE("what is stored is vouched for by nobody, and a sync that fails there is remembered as any other") {
  int syncs = 0;
  int published = 0;
  Items forgotten;
  Batches batches("out", {.sync =
                              [&](const Items&) {
                                if (++syncs == 2) throw diag::StorageError("EIO");
                              },
                          .publish = [&](const Items&) { ++published; },
                          .forget = [&](const Items& batch) { forgotten = batch; }});
  batches.store({1});
  CHECK_FALSE(batches.failed());
  CHECK_THROWS_AS(batches.store({2}), diag::StorageError);
  CHECK(forgotten == Items{2});
  CHECK_THROWS_AS(batches.publish({3}), diag::StorageError);
  CHECK(published == 0);
}

TEST_CASE("after a failed sync nothing is published any more, for the kernel tells it once (R123)") {
  int published = 0;
  Items forgotten;
  {
    int syncs = 0;
    Batches batches("out", {.sync =
                                [&](const Items&) {
                                  if (++syncs == 1) throw diag::StorageError("EIO");
                                },
                            .publish = [&](const Items&) { ++published; },
                            .forget =
                                [&](const Items& batch) {
                                  forgotten.insert(forgotten.end(), batch.begin(), batch.end());
                                }});
    CHECK_THROWS_AS(batches.publish({1}), diag::StorageError);
    CHECK(batches.failed());
    CHECK_THROWS_AS(batches.publish({2}), diag::StorageError);
    batches.add(3, 10);
    CHECK(syncs == 1);
  }
  CHECK(published == 0);
  CHECK(forgotten == Items{1, 2, 3});
}

TEST_CASE("a sync that begins while another one fails does not publish what that one lost") {
  std::latch second_waits(1);
  std::atomic<int> published = 0;
  std::atomic<int> syncs = 0;
  Batches batches("out", {.sync =
                              [&](const Items&) {
                                if (++syncs > 1) return;  // told already: this one succeeds
                                second_waits.wait();
                                throw diag::StorageError("EIO");
                              },
                          .publish = [&](const Items&) { ++published; },
                          .forget = [](const Items&) {}});
  std::thread first([&] { CHECK_THROWS_AS(batches.publish({1}), diag::StorageError); });
  while (syncs == 0) std::this_thread::yield();
  std::thread second([&] {
    second_waits.count_down();
    CHECK_THROWS_AS(batches.publish({2}), diag::StorageError);
  });
  first.join();
  second.join();
  CHECK(published == 0);
  CHECK(syncs == 1);
}
