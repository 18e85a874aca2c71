#include "common/cli/progress.hpp"

#include <doctest/doctest.h>

#include <array>
#include <string>
#include <vector>

#include "common/cli/plain_progress.hpp"
#include "common/cli/progress_view.hpp"

using namespace airgap;
using namespace std::chrono_literals;
using cli::ProgressState;
using cli::ProgressTracker;
using TimePoint = ProgressTracker::TimePoint;

namespace {

constexpr std::uint64_t k_mib = 1024 * 1024;

hash::Digest digest(unsigned char fill) {
  std::array<std::byte, 32> bytes{};
  bytes.fill(std::byte{fill});
  return {hash::Algorithm::sha256, bytes};
}

TimePoint at(std::chrono::milliseconds time) {
  return TimePoint(time);
}

ProgressState fetching() {
  ProgressState state;
  state.what = "fetching";
  state.bytes = true;
  state.done = 312 * k_mib;
  state.total = 1248 * k_mib;
  state.blobs_done = 14;
  state.blobs_total = 61;
  state.rate = 88.1 * k_mib;
  state.left = 11s;
  state.elapsed = 3600ms;
  state.running = {{"sha256:0123456789ab", 12 * k_mib, 24 * k_mib, 8.0 * k_mib},
                   {"sha256:fedcba987654", 0, 100, 0}};
  return state;
}

std::vector<std::string> texts(const ProgressState& state, const cli::ViewStyle& style) {
  std::vector<std::string> lines;
  for (const cli::DrawnLine& line : cli::render(state, style)) lines.push_back(line.text);
  return lines;
}

}  // namespace

TEST_CASE("bytes that are there from an earlier run count as done but not as speed") {
  ProgressTracker tracker;
  tracker.begin("fetching", 1000, true, 2, at(0ms));
  tracker.blob_started(digest(1), 600, 400, at(0ms));
  tracker.blob_progress(digest(1), 100);
  const ProgressState state = tracker.look(at(1s));
  CHECK(state.done == 500);
  CHECK(state.rate == doctest::Approx(100));
  CHECK(state.left == 5s);
}

TEST_CASE("a restarted blob never lowers what is shown as done") {
  ProgressTracker tracker;
  tracker.begin("fetching", 1000, true, 2, at(0ms));
  tracker.blob_started(digest(1), 1000, 0, at(0ms));
  tracker.blob_progress(digest(1), 600);
  CHECK(tracker.look(at(1s)).done == 600);
  tracker.blob_restarted(digest(1), 600);
  CHECK(tracker.look(at(2s)).done == 600);
  CHECK(tracker.look(at(2s)).running.at(0).done == 0);
  tracker.blob_progress(digest(1), 500);
  CHECK(tracker.look(at(3s)).done == 600);
  tracker.blob_progress(digest(1), 500);
  tracker.blob_finished(digest(1), 1000, "fetched");
  CHECK(tracker.look(at(4s)).done == 1000);
  CHECK(tracker.look(at(4s)).blobs_done == 1);
}

TEST_CASE("a blob that did not have to move counts whole, a failed one not at all") {
  ProgressTracker tracker;
  tracker.begin("pushing", 300, true, 2, at(0ms));
  tracker.blob_finished(digest(1), 100, "present");
  tracker.blob_started(digest(2), 200, 0, at(0ms));
  tracker.blob_progress(digest(2), 50);
  tracker.blob_finished(digest(2), 200, "failed");
  const ProgressState state = tracker.look(at(1s));
  CHECK(state.done == 100);
  CHECK(state.blobs_done == 1);
  CHECK(state.running.empty());
}

TEST_CASE("more bytes than were announced do not exceed the total") {
  ProgressTracker tracker;
  tracker.begin("fetching", 100, true, 1, at(0ms));
  tracker.blob_started(digest(1), 100, 0, at(0ms));
  tracker.blob_progress(digest(1), 150);
  const ProgressState state = tracker.look(at(1s));
  CHECK(state.done <= state.total);
}

TEST_CASE("a blob that is sent twice does not count twice, and the total stays what it was") {
  ProgressTracker tracker;
  tracker.begin("pushing", 300, true, 2, at(0ms));
  tracker.blob_started(digest(1), 200, 0, at(0ms));
  tracker.blob_progress(digest(1), 200);
  tracker.blob_progress(digest(1), 150);
  CHECK(tracker.look(at(1s)).done == 200);
  CHECK(tracker.look(at(1s)).total == 300);
  tracker.blob_finished(digest(1), 200, "failed");
  tracker.blob_finished(digest(2), 100, "pushed");
  CHECK(tracker.look(at(2s)).total == 300);
  CHECK(tracker.look(at(2s)).blobs_done == 1);
}

TEST_CASE("running transfers are listed oldest first, without those just begun") {
  ProgressTracker tracker;
  tracker.begin("fetching", 300, true, 3, at(0ms));
  tracker.blob_started(digest(9), 100, 0, at(0ms));
  tracker.blob_started(digest(1), 100, 0, at(100ms));
  tracker.blob_started(digest(5), 100, 0, at(900ms));
  const ProgressState state = tracker.look(at(1s));
  REQUIRE(state.running.size() == 2);
  CHECK(state.running[0].name == digest(9).brief());
  CHECK(state.running[1].name == digest(1).brief());
}

TEST_CASE("the time in which somebody is waited for does not count") {
  ProgressTracker tracker;
  tracker.begin("pushing", 1000, true, 2, at(0ms));
  tracker.blob_started(digest(1), 600, 0, at(0ms));
  tracker.blob_progress(digest(1), 500);
  CHECK(tracker.look(at(5s)).rate == doctest::Approx(100));
  tracker.pause(at(5s));
  CHECK(tracker.look(at(60s)).left == 5s);
  tracker.resume(at(605s));
  const ProgressState state = tracker.look(at(605s));
  CHECK(state.rate == doctest::Approx(100));
  CHECK(state.left == 5s);
  CHECK(state.elapsed == 5s);
  REQUIRE(state.running.size() == 1);
  CHECK(state.running[0].rate == doctest::Approx(100));
}

TEST_CASE("speed is that of the last seconds") {
  ProgressTracker tracker;
  tracker.begin("verifying", 0, true, 0, at(0ms));
  CHECK(tracker.look(at(100ms)).rate == 0);
  for (int second = 1; second <= 100; ++second) {
    tracker.count(second <= 50 ? 1000 : 10);
    tracker.look(at(std::chrono::seconds(second)));
  }
  CHECK(tracker.look(at(100s)).rate == doctest::Approx(10));
}

TEST_CASE("the plain line says how far, how fast, how long and how many") {
  CHECK(cli::plain_line(fetching()) ==
        "fetching: 312 MiB of 1.2 GiB (25%), 88.1 MiB/s, 00:11 left, 14 of 61 blobs");
  ProgressState count;
  count.what = "resolving images";
  count.done = 12;
  count.total = 40;
  CHECK(cli::plain_line(count) == "resolving images: 12 of 40 (30%)");
  count.total = 0;
  CHECK(cli::plain_line(count) == "resolving images: 12");
}

TEST_CASE("the last line says what was done, or how far it came") {
  ProgressState state = fetching();
  CHECK(cli::final_line(state) == "fetching: 312 MiB of 1.2 GiB (25%), 14 of 61 blobs, 00:03, not finished");
  state.done = state.total;
  state.blobs_done = state.blobs_total;
  CHECK(cli::final_line(state) == "fetched: 1.2 GiB in 61 blobs, 00:03");
  state.what = "pushing";
  state.blobs_mounted = 3;
  CHECK(cli::final_line(state) == "pushed: 1.2 GiB in 61 blobs, 3 of them mounted, 00:03");
}

TEST_CASE("100 percent is all of it, and durations keep two digits") {
  CHECK(cli::percent(0, 10) == 0);
  CHECK(cli::percent(999'999, 1'000'000) == 99);
  CHECK(cli::percent(UINT64_MAX - 1, UINT64_MAX) == 99);
  CHECK(cli::percent(10, 10) == 100);
  CHECK(cli::duration_text(11s) == "00:11");
  CHECK(cli::duration_text(3723s) == "1:02:03");
}

TEST_CASE("the view shows each transfer and the total at the bottom") {
  const auto lines = texts(fetching(), {100, 24, false, false});
  REQUIRE(lines.size() == 3);
  CHECK(lines[0] ==
        "  sha256:0123456789ab   50%  [################----------------]  12.0 MiB of 24.0 MiB   8.0 MiB/s");
  CHECK(lines[1] ==
        "  sha256:fedcba987654    0%  [--------------------------------]       0 B of    100 B            ");
  CHECK(lines[2] ==
        "fetching   25%  [#####----------------]   312 MiB of 1.2 GiB  88.1 MiB/s  00:11 left  14/61 blobs");
}

TEST_CASE("a narrow terminal loses the less important parts") {
  const auto lines = texts(fetching(), {40, 24, true, false});
  REQUIRE(lines.size() == 3);
  CHECK(lines[0] == "  sha256:0123456789ab  50% [████░░░░]");
  CHECK(lines[2] == "fetching  25% [██░░░░░░░░] 00:11 left");
}

TEST_CASE("no line reaches the edge of the terminal, however narrow, and colours take no room") {
  for (std::size_t columns = 1; columns <= 200; ++columns) {
    CAPTURE(columns);
    const auto plain = cli::render(fetching(), {columns, 24, false, false});
    const auto colored = cli::render(fetching(), {columns, 24, false, true});
    for (std::size_t i = 0; i < plain.size(); ++i) {
      CHECK(plain[i].text.size() == plain[i].columns);
      CHECK(plain[i].columns <= (columns > 3 ? columns - 3 : 1));
      CHECK(plain[i].columns == colored[i].columns);
    }
  }
}

TEST_CASE("many transfers are cut to the oldest, and to the height of the terminal") {
  ProgressState state = fetching();
  state.running.assign(20, state.running[0]);
  CHECK(texts(state, {100, 24, false, false}).size() == 10);
  CHECK(texts(state, {100, 24, false, false})[8] == "  and 12 more");
  CHECK(texts(state, {100, 6, false, false}).size() <= 5);
  CHECK(texts(state, {100, 2, false, false}).size() == 1);
}
