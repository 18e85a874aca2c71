#include "common/registry/chunked_upload.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "common/diag/error.hpp"
#include "common/diag/log.hpp"
#include "common/http/retry_policy.hpp"
#include "common/registry/reply.hpp"

namespace airgap::registry {
namespace {

using Kind = UploadOutcome::Kind;

// Bytes. The line decides how large a chunk is: its round trip costs little, and a stop can wait for it.
constexpr std::uint64_t k_first_chunk = std::uint64_t{8} << 20;
constexpr std::uint64_t k_least_chunk = std::uint64_t{1} << 20;
constexpr std::uint64_t k_most_asked_for = std::uint64_t{32} << 20;  // it may have to be held
constexpr std::uint64_t k_growth = 8;                                // times, from one to the next
constexpr std::chrono::milliseconds k_target(750);
constexpr std::size_t k_status_repeats = 2;  // of the question how far an earlier run came
constexpr int k_too_many_requests = 429;

std::unique_ptr<ChunkBytes> chunks_of(OutgoingBlob& blob, const std::stop_token& stop) {
  return blob.passes_by() ? held_chunks(blob, stop) : streamed_chunks(blob, stop);
}

/// Nothing when the answer does not say. "0-0" is also what a registry says that has no byte yet.
std::optional<std::uint64_t> place_of(const http::ResponseHead& status) {
  const auto there = bytes_there(status);
  return there == 1 ? 0 : there;
}

}  // namespace

ChunkedUpload::ChunkedUpload(HostSession& host, const std::string& path, UploadSession session,
                             OutgoingBlob& blob, KeptUpload* record)
    : m_host(host),
      m_path(path),
      m_session(std::move(session)),
      m_blob(blob),
      m_record(record),
      m_bytes(chunks_of(blob, host.parts().options.stop)),
      m_pace(k_first_chunk) {
  m_blob.count().restart();
}

// To go on saves bytes, no more: what stands in the way of asking is no reason to fail. Where the registry is
// down a new upload says so.
bool ChunkedUpload::go_on() {
  try {
    auto response = ask_for_place(k_status_repeats);
    if (response->status() == k_too_many_requests) {
      drain(*response);
      response = ask_for_place(std::nullopt);  // says nothing of the session: waited for as ever
    }
    if (response->status() == k_too_many_requests)
      throw_refusal(*response, asked_to_push(m_host, m_path, m_blob.descriptor()));
    if (!http::is_retryable_status(response->status())) return take_up(*response);
    warn_of_begin(fmt::format("status {}", response->status()));
  } catch (const http::TransferError& error) {
    warn_of_begin(error.message());
  } catch (const diag::CredentialsError& error) {
    warn_of_begin(error.message());
  }
  return false;
}

std::unique_ptr<http::Response> ChunkedUpload::ask_for_place(std::optional<std::size_t> most_repeats) {
  http::Request request = m_host.request(http::Method::get, m_session.location);
  request.most_repeats = most_repeats;
  return m_host.send(std::move(request), {m_path, true});
}

bool ChunkedUpload::take_up(http::Response& status) {
  const auto there = place_of(status.head());
  const bool found = is_success(status) && there && *there <= m_blob.descriptor().size;
  drain(status);
  if (!found) return false;
  follow(status.head());
  m_blob.count().restart(*there);
  advance_to(*there);
  return true;
}

void ChunkedUpload::warn_of_begin(std::string_view why) const {
  diag::log(
      "registry", diag::LogLevel::warning,
      fmt::format("{} cannot say how far an earlier run came with {}: {}; the blob is sent from its start",
                  m_host.registry(), asked_to_push(m_host, m_path, m_blob.descriptor()).subject, why));
}

UploadOutcome ChunkedUpload::send_rest(std::uint64_t most) {
  if (m_in_doubt) {
    if (auto outcome = find_place()) return std::move(*outcome);
  }
  if (m_taken == 0) keep_record();  // a registry may keep a part of the first chunk
  while (m_taken < m_blob.descriptor().size) {
    const auto begin = m_host.parts().clock.now();
    const std::uint64_t size = next_chunk(most);
    UploadOutcome outcome = send_chunk(size);
    if (outcome.kind != Kind::done) return outcome;
    keep_pace(size, m_host.parts().clock.now() - begin);
  }
  m_in_doubt = true;
  return commit(m_host, m_path, m_session, m_blob.descriptor(), UploadWay::chunks,
                m_record == nullptr ? std::chrono::milliseconds(0) : k_stop_grace);
}

// "Getting the status of an upload". A registry that has no such answer has said all in its refusal.
std::optional<UploadOutcome> ChunkedUpload::find_place() {
  http::Request request = m_host.request(http::Method::get, m_session.location);
  request.repeatable = false;  // who calls repeats
  const auto response = m_host.send(std::move(request), {m_path, true});
  if (!is_success(*response)) {
    UploadOutcome outcome = outcome_of(m_host, *response, UploadWay::chunks);
    const bool unknown = outcome.kind == Kind::lost && !outcome.refusal->items.empty();
    if (unknown || outcome.kind == Kind::try_later) return outcome;
  } else {
    drain(*response);
    const std::uint64_t there = place_of(response->head()).value_or(m_taken);
    if (there < m_taken || there > m_taken + m_under_way) return UploadOutcome{Kind::lost};
    follow(response->head());
    advance_to(there);
  }
  m_in_doubt = false;
  return std::nullopt;
}

void ChunkedUpload::follow(const http::ResponseHead& head) {
  if (head.headers.find("Location")) m_session.location = next_location(m_host, head);
}

UploadOutcome ChunkedUpload::send_chunk(std::uint64_t size) {
  const std::uint64_t end = m_taken + size;
  m_bytes->prepare(size);
  http::Request request = upload_request(m_host, http::Method::patch, m_session.location);
  request.headers.set("Content-Range", fmt::format("{}-{}", m_taken, end - 1));
  request.body_size = size;
  request.open_body = [this] { return m_bytes->open(); };
  if (m_record != nullptr) request.grace = k_stop_grace;
  m_in_doubt = true;
  m_under_way = size;
  const auto response = m_host.send(std::move(request), {m_path, true});
  if (!is_success(*response)) {
    UploadOutcome outcome = outcome_of(m_host, *response, UploadWay::chunks);
    if (m_taken == 0 && response->status() == 416) outcome.kind = Kind::too_large;  // how GHCR puts it
    return outcome;
  }
  drain(*response);
  if (bytes_there(response->head()).value_or(end) != end) return {Kind::lost};
  m_session.location = next_location(m_host, response->head());
  m_in_doubt = false;
  advance_to(end);
  return {};
}

std::uint64_t ChunkedUpload::next_chunk(std::uint64_t most) const {
  const std::uint64_t wanted =
      std::max(std::min(m_pace, most), std::min(m_session.min_chunk, k_most_asked_for));
  return std::min(wanted, m_blob.descriptor().size - m_taken);
}

void ChunkedUpload::keep_pace(std::uint64_t sent, task::Clock::Duration time) {
  if (sent < m_pace && time < k_target) return;  // a short one says nothing of long ones
  const auto took = static_cast<std::uint64_t>(std::max(time, task::Clock::Duration(1)).count());
  const std::uint64_t wanted = sent / took * static_cast<std::uint64_t>(k_target.count());
  m_pace = std::clamp(wanted, k_least_chunk, std::min(m_pace * k_growth, m_bytes->most()));
}

void ChunkedUpload::advance_to(std::uint64_t taken) {
  m_bytes->advance_to(taken);
  m_taken = taken;
  m_blob.count().move_to(taken);
  keep_record();
}

void ChunkedUpload::keep_record() {
  if (m_record == nullptr) return;
  if (m_session.location.origin() == m_host.origin()) {
    m_record->keep({m_session.location.str(), m_taken, m_session.min_chunk});
  } else {
    m_record->forget();  // what is read from a file is not believed about other hosts
  }
}

std::optional<std::uint64_t> bytes_taken(HostSession& host, const std::string& path,
                                         const UploadSession& session) {
  http::Request request = host.request(http::Method::get, session.location);
  request.most_repeats = 0;  // who goes on with it asks again
  const auto response = host.send(std::move(request), {path, true});
  const auto there = is_success(*response) ? place_of(response->head()) : std::nullopt;
  drain(*response);
  return there;
}

}  // namespace airgap::registry
