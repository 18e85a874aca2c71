#include "common/registry/resuming_source.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <random>
#include <utility>

#include "common/diag/error.hpp"
#include "common/diag/log.hpp"
#include "common/registry/content_range.hpp"
#include "common/registry/reply.hpp"

namespace airgap::registry {
namespace {

// So many bytes make a broken transfer worth a fresh set of repeats; a server that drips is not waited for
// forever.
constexpr std::uint64_t k_progress = std::uint64_t{64} << 10;

double jitter() {
  thread_local std::mt19937_64 engine(std::random_device{}());
  return std::uniform_real_distribution<>(0.0, 1.0)(engine);
}

std::string host_of_answer(const http::Response& response) {
  return response.head().url.origin().str();
}

}  // namespace

ResumingSource::ResumingSource(Download download, task::Clock& clock, std::uint64_t offset)
    : m_download(std::move(download)), m_clock(clock), m_position(offset) {
  if (m_position > m_download.size) {
    throw diag::InternalError(fmt::format("{}: cannot begin at byte {}", m_download.subject, offset));
  }
  if (m_position < m_download.size) connect();
}

std::size_t ResumingSource::read(std::span<std::byte> out) {
  while (m_position < m_download.size || m_response) {
    if (!m_response) reconnect();
    try {
      const std::size_t count = read_some(out);
      if (count != 0) return count;
      if (m_position == m_download.size) break;
    } catch (const http::TransferError& error) {
      if (m_position == m_download.size) break;  // it broke behind the last byte, and the size is what counts
      pause_after(error.message(), error.retryable());
    }
  }
  m_response.reset();
  return 0;
}

// 0 at the end of the blob, and also when nothing came of this call that the caller does not have yet.
std::size_t ResumingSource::read_some(std::span<std::byte> out) {
  const std::size_t count = m_response->read(out);
  if (count == 0) {
    if (m_position == m_download.size) return 0;
    throw http::TransferError(fmt::format("{} ended the transfer early", host_of_answer(*m_response)), true);
  }
  const std::size_t skipped = static_cast<std::size_t>(std::min<std::uint64_t>(count, m_to_skip));
  m_to_skip -= skipped;
  const std::size_t fresh = count - skipped;
  if (fresh > m_download.size - m_position) {
    throw diag::IntegrityError(fmt::format("{} from {} is longer than its declared {} bytes",
                                           m_download.subject, host_of_answer(*m_response), m_download.size));
  }
  if (skipped != 0)
    std::copy(out.begin() + static_cast<std::ptrdiff_t>(skipped),
              out.begin() + static_cast<std::ptrdiff_t>(count), out.begin());
  m_position += fresh;
  m_since_break += fresh;
  return fresh;
}

// The transport has repeated what can be repeated, so a failure here is final.
void ResumingSource::reconnect() {
  try {
    connect();
  } catch (const http::TransferError& error) {
    give_up(error.message());
  }
}

void ResumingSource::connect() {
  m_to_skip = 0;
  const std::uint64_t from = m_ranges ? m_position : 0;
  auto response = m_download.request(from);
  refuse_encoded(response->head());
  if (response->status() == 206 && from != 0 && is_rest_from(response->head(), from, m_download.size)) {
    m_response = std::move(response);
    return;
  }
  if (response->status() == 200) {
    if (from != 0) {
      m_download.warn_once(
          fmt::format("{} ignores Range: broken transfers from it start over", host_of_answer(*response)));
    }
    begin_at_zero(std::move(response));
    return;
  }
  if (from == 0) {
    throw diag::NetworkError(fmt::format("{} from {}: status {} to a request for all of it",
                                         m_download.subject, host_of_answer(*response), response->status()));
  }
  m_download.warn_once(fmt::format("{} answers Range wrongly: broken transfers from it start over",
                                   host_of_answer(*response)));
  m_ranges = false;
  response.reset();
  connect();  // once more, and not with a Range
}

void ResumingSource::begin_at_zero(std::unique_ptr<http::Response> response) {
  const auto length = response->head().content_length;
  if (length && *length != m_download.size) {
    throw diag::IntegrityError(fmt::format("{} has {} bytes at {}, and {} were declared", m_download.subject,
                                           *length, host_of_answer(*response), m_download.size));
  }
  m_to_skip = m_position;
  m_response = std::move(response);
}

void ResumingSource::pause_after(const std::string& why, bool retryable) {
  m_response.reset();
  if (std::exchange(m_since_break, 0) >= k_progress) m_failures = 0;
  if (!retryable || m_failures == m_download.retry.repeats) give_up(why);
  const auto wait = m_download.retry.backoff(m_failures++, jitter());
  diag::log(
      "registry", diag::LogLevel::debug,
      fmt::format("{}: {}; going on at byte {} in {} ms", m_download.subject, why, m_position, wait.count()));
  m_clock.sleep(wait, m_download.stop);
}

void ResumingSource::give_up(const std::string& why) const {
  throw diag::NetworkError(
      fmt::format("{}: got {} of {} bytes: {}", m_download.subject, m_position, m_download.size, why),
      "run the same command again: it goes on from there");
}

}  // namespace airgap::registry
