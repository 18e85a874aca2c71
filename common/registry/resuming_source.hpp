#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "common/http/client.hpp"
#include "common/http/retry_policy.hpp"
#include "common/io/stream.hpp"
#include "common/task/clock.hpp"

namespace airgap::registry {

/// What a ResumingSource reads and how.
struct Download {
  /// Sends the request, with "Range: bytes=N-" for a value that is not 0, and returns an answer with status
  /// 200, 206 or 416; throws for any other.
  std::function<std::unique_ptr<http::Response>(std::uint64_t from)> request;
  std::function<void(const std::string& text)> warn_once;
  std::string subject;     ///< "blob sha256:... of team/app"
  std::uint64_t size = 0;  ///< bytes of the whole
  http::RetryPolicy retry;
  std::stop_token stop;
};

/// The bytes of a blob from an offset to its end, over as many transfers as it takes. A break is resumed by
/// Range; what does not fit the answer's own words (a wrong Content-Range, a 200, 416) starts over, and the
/// bytes before the offset are passed over. Ends exactly at `size`: more bytes are an IntegrityError at once
/// (R1-R3, R5, R29-R31). Not verified.
class ResumingSource : public io::Source {
 public:
  /// `clock` is borrowed. The first request is sent here, unless nothing is left to read.
  ResumingSource(Download download, task::Clock& clock, std::uint64_t offset);
  std::size_t read(std::span<std::byte> out) override;

 private:
  void connect();
  void reconnect();
  [[noreturn]] void give_up(const std::string& why) const;
  void begin_at_zero(std::unique_ptr<http::Response> response);
  void pause_after(const std::string& why, bool retryable);
  std::size_t read_some(std::span<std::byte> out);

  Download m_download;
  task::Clock& m_clock;
  std::unique_ptr<http::Response> m_response;  // null between two transfers
  std::uint64_t m_position;                    // of the next byte that the caller gets
  std::uint64_t m_to_skip = 0;                 // bytes of this transfer that the caller has already
  std::uint64_t m_since_break = 0;             // bytes that were of use
  std::size_t m_failures = 0;                  // in a row, without much progress between them
  bool m_ranges = true;                        // false once a Range was answered wrongly
};

}  // namespace airgap::registry
