#include "common/cli/rate_meter.hpp"

namespace airgap::cli {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds k_window{10'000};
constexpr milliseconds k_apart{250};  // samples closer than this are not kept
constexpr milliseconds k_too_early{300};

}  // namespace

double RateMeter::update(TimePoint now, std::uint64_t count) {
  while (m_samples.size() > 1 && now - m_samples[1].time >= k_window) m_samples.pop_front();
  const Sample& oldest = m_samples.front();
  const milliseconds span = now - oldest.time;
  const double rate =
      span < k_too_early || count < oldest.count
          ? 0.0
          : static_cast<double>(count - oldest.count) * 1000.0 / static_cast<double>(span.count());
  if (now - m_samples.back().time >= k_apart) m_samples.push_back({now, count});
  return rate;
}

}  // namespace airgap::cli
