#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/cli/rate_meter.hpp"
#include "common/hash/digest.hpp"

namespace airgap::cli {

/// One running transfer, in bytes.
struct TransferState {
  std::string name;  ///< the digest, shortened
  std::uint64_t done = 0;
  std::uint64_t size = 0;
  double rate = 0;  ///< a second, 0 while unknown
};

/// What a progress display shows: transfers (blobs > 0) or a plain count.
struct ProgressState {
  std::string what;  ///< "fetching", "resolving images"
  bool bytes = false;
  std::uint64_t done = 0;
  std::uint64_t total = 0;  ///< 0: unknown
  std::uint64_t blobs_done = 0;
  std::uint64_t blobs_total = 0;
  std::uint64_t blobs_mounted = 0;  ///< of those done: nothing was sent for them
  std::uint64_t already = 0;        ///< of `done`, what an earlier run moved
  double rate = 0;                  ///< a second, 0 while unknown
  std::chrono::milliseconds elapsed{};
  std::optional<std::chrono::seconds> left;
  std::vector<TransferState> running;  ///< oldest first, without those just begun
};

/// Follows transfers or a count. What it says is done never shrinks within one activity. Not thread-safe.
class ProgressTracker {
 public:
  using TimePoint = task::Clock::TimePoint;

  void begin(std::string_view what, std::uint64_t total, bool bytes, std::uint64_t blobs, TimePoint now);
  bool active() const noexcept { return m_active; }
  void end() noexcept;

  /// No time passes in between, for rates and for what is left: somebody else is waited for.
  void pause(TimePoint now);
  void resume(TimePoint now);

  void count(std::uint64_t more);
  void blob_started(const hash::Digest& digest, std::uint64_t size, std::uint64_t already, TimePoint now);
  void blob_progress(const hash::Digest& digest, std::uint64_t moved);
  void blob_restarted(const hash::Digest& digest, std::uint64_t lost);
  /// "failed" takes it out of the display and counts nothing.
  void blob_finished(const hash::Digest& digest, std::uint64_t size, std::string_view outcome);

  ProgressState look(TimePoint now);

 private:
  struct Running {
    std::uint64_t size;
    std::uint64_t done;   // in place, `already` included; a restart takes from it
    std::uint64_t moved;  // over the line, whatever became of it
    TimePoint start;
    RateMeter meter;
  };
  TimePoint own(TimePoint now) const;

  bool m_active = false;
  std::string m_what;
  bool m_bytes = false;
  std::uint64_t m_total = 0;
  std::uint64_t m_blobs_total = 0;
  std::uint64_t m_done = 0;   // may shrink when an attempt fails
  std::uint64_t m_shown = 0;  // does not
  std::uint64_t m_moved = 0;
  std::uint64_t m_blobs_done = 0;
  std::uint64_t m_blobs_mounted = 0;
  std::uint64_t m_already = 0;
  TimePoint m_start;  // this one and all others without the pauses
  TimePoint::duration m_paused{};
  std::optional<TimePoint> m_paused_since;
  RateMeter m_meter{TimePoint{}};
  std::map<hash::Digest, Running> m_running;
};

}  // namespace airgap::cli
