#include "common/cli/progress.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace airgap::cli {
namespace {

// A transfer that ends sooner is not shown: small blobs would only flicker.
constexpr std::chrono::milliseconds k_worth_a_line{300};

}  // namespace

void ProgressTracker::begin(std::string_view what, std::uint64_t total, bool bytes, std::uint64_t blobs,
                            TimePoint now) {
  *this = ProgressTracker();
  m_active = true;
  m_what = what;
  m_bytes = bytes;
  m_total = total;
  m_blobs_total = blobs;
  m_start = now;
  m_meter = RateMeter(now);
}

void ProgressTracker::end() noexcept {
  m_active = false;
  m_running.clear();
}

void ProgressTracker::pause(TimePoint now) {
  if (!m_paused_since) m_paused_since = now;
}

void ProgressTracker::resume(TimePoint now) {
  if (m_paused_since) m_paused += now - *m_paused_since;
  m_paused_since.reset();
}

ProgressTracker::TimePoint ProgressTracker::own(TimePoint now) const {
  return m_paused_since.value_or(now) - m_paused;
}

void ProgressTracker::count(std::uint64_t more) {
  m_done += more;
  m_moved += more;
}

void ProgressTracker::blob_started(const hash::Digest& digest, std::uint64_t size, std::uint64_t already,
                                   TimePoint now) {
  if (!m_active) return;
  now = own(now);
  if (!m_running.emplace(digest, Running{size, already, 0, now, RateMeter(now)}).second) return;
  m_done += already;
  m_already += already;
}

void ProgressTracker::blob_progress(const hash::Digest& digest, std::uint64_t moved) {
  const auto found = m_running.find(digest);
  if (found == m_running.end()) return;
  // What is sent a second time, into another repository, does not count twice.
  const std::uint64_t ahead =
      std::min(moved, found->second.size - std::min(found->second.size, found->second.done));
  found->second.done += ahead;
  found->second.moved += moved;
  m_done += ahead;
  m_moved += moved;
}

void ProgressTracker::blob_restarted(const hash::Digest& digest, std::uint64_t lost) {
  const auto found = m_running.find(digest);
  if (found == m_running.end()) return;
  const std::uint64_t taken = std::min(lost, found->second.done);
  found->second.done -= taken;
  m_done -= taken;
}

void ProgressTracker::blob_finished(const hash::Digest& digest, std::uint64_t size,
                                    std::string_view outcome) {
  if (!m_active) return;
  if (const auto found = m_running.find(digest); found != m_running.end()) {
    m_done -= found->second.done;
    m_running.erase(found);
  }
  if (outcome == "failed") return;
  m_done += size;
  ++m_blobs_done;
  if (outcome == "mounted") ++m_blobs_mounted;
}

ProgressState ProgressTracker::look(TimePoint now) {
  now = own(now);
  m_shown = std::max(m_shown, m_done);
  ProgressState state;
  state.what = m_what;
  state.bytes = m_bytes;
  state.done = m_shown;
  state.total = m_total == 0 ? 0 : std::max(m_total, m_shown);
  state.blobs_done = m_blobs_done;
  state.blobs_total = m_blobs_total == 0 ? 0 : std::max(m_blobs_total, m_blobs_done);
  state.blobs_mounted = m_blobs_mounted;
  state.already = m_already;
  state.elapsed = now - m_start;
  state.rate = m_meter.update(now, m_moved);
  if (const std::uint64_t rest = m_total > m_done ? m_total - m_done : 0; state.rate >= 1) {
    const double seconds = std::min(static_cast<double>(rest) / state.rate, 1e6);
    state.left = std::chrono::seconds(std::llround(seconds));
  }
  std::vector<std::pair<TimePoint, TransferState>> shown;
  for (auto& [digest, running] : m_running) {
    const double rate = running.meter.update(now, running.moved);
    if (now - running.start < k_worth_a_line) continue;
    shown.emplace_back(running.start, TransferState{digest.brief(), running.done, running.size, rate});
  }
  std::stable_sort(shown.begin(), shown.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  for (auto& [start, transfer] : shown) state.running.push_back(std::move(transfer));
  return state;
}

}  // namespace airgap::cli
