#include "common/registry/chunked_upload.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <utility>

#include "common/registry/reply.hpp"

namespace airgap::registry {

using Kind = UploadOutcome::Kind;

ChunkedUpload::ChunkedUpload(HostSession& host, const std::string& path, UploadSession session,
                             OutgoingBlob& blob)
    : m_host(host),
      m_path(path),
      m_session(std::move(session)),
      m_blob(blob),
      m_source(blob.open_checked()),
      m_buffer(io::k_pump_buffer) {
  m_blob.count().restart();
}

UploadOutcome ChunkedUpload::send_rest(std::uint64_t chunk_size) {
  if (m_in_doubt) {
    if (auto outcome = find_place()) return std::move(*outcome);
  }
  while (m_taken < m_blob.descriptor().size) {
    fill(chunk_size);
    UploadOutcome outcome =
        send_chunk(static_cast<std::size_t>(std::min<std::uint64_t>(chunk_size, m_held.size())));
    if (outcome.kind != Kind::done) return outcome;
  }
  m_in_doubt = true;
  return commit(m_host, m_path, m_session, m_blob.descriptor(), UploadWay::chunks);
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
    const std::uint64_t there = bytes_there(response->head()).value_or(m_taken);
    if (there < m_taken || there > m_taken + m_held.size()) return UploadOutcome{Kind::lost};
    advance_to(there);
    if (response->head().headers.find("Location")) {
      m_session.location = next_location(m_host, response->head());
    }
  }
  m_in_doubt = false;
  return std::nullopt;
}

UploadOutcome ChunkedUpload::send_chunk(std::size_t size) {
  const std::uint64_t end = m_taken + size;
  http::Request request = upload_request(m_host, http::Method::patch, m_session.location);
  request.headers.set("Content-Range", fmt::format("{}-{}", m_taken, end - 1));
  request.body_size = size;
  request.open_body = [chunk = std::string_view(m_held).substr(0, size)] {
    return std::make_unique<io::MemorySource>(chunk);
  };
  m_in_doubt = true;
  const auto response = m_host.send(std::move(request), {m_path, true});
  if (!is_success(*response)) {
    UploadOutcome outcome = outcome_of(m_host, *response, UploadWay::chunks);
    if (m_taken == 0 && response->status() == 416) outcome.kind = Kind::too_large;  // how GHCR puts it
    return outcome;
  }
  drain(*response);
  if (bytes_there(response->head()).value_or(end) != end) return {Kind::lost};
  m_session.location = next_location(m_host, response->head());
  advance_to(end);
  m_in_doubt = false;
  return {};
}

// The last bytes are only sent once the end is reached, and so the digest is right.
void ChunkedUpload::fill(std::uint64_t chunk_size) {
  const std::uint64_t size = m_blob.descriptor().size;
  m_held.reserve(static_cast<std::size_t>(std::min(chunk_size + m_buffer.size(), size - m_taken)));
  while (!m_ended && (m_held.size() < chunk_size || m_taken + m_held.size() >= size)) {
    const std::size_t count = m_source->read(m_buffer);
    m_held.append(io::text_of(std::span(m_buffer).first(count)));
    m_ended = count == 0;
  }
}

void ChunkedUpload::advance_to(std::uint64_t taken) {
  m_held.erase(0, static_cast<std::size_t>(taken - m_taken));
  m_blob.count().add(taken - m_taken);
  m_taken = taken;
}

}  // namespace airgap::registry
