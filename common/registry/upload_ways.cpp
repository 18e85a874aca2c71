#include "common/registry/upload_ways.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "common/hash/verifying_source.hpp"
#include "common/http/retry_policy.hpp"
#include "common/registry/reply.hpp"

namespace airgap::registry {
namespace {

using Kind = UploadOutcome::Kind;

constexpr const char* k_octets = "application/octet-stream";

// Owns what it verifies.
class CheckedSource : public io::Source {
 public:
  CheckedSource(std::unique_ptr<io::Source> inner, const image::Descriptor& blob, SentCount* count)
      : m_inner(std::move(inner)), m_verified(*m_inner, blob.digest, blob.size), m_count(count) {}

  std::size_t read(std::span<std::byte> out) override {
    const std::size_t count = m_verified.read(out);
    if (m_count != nullptr) m_count->add(count);
    return count;
  }

 private:
  std::unique_ptr<io::Source> m_inner;
  hash::VerifyingSource m_verified;
  SentCount* m_count;
};

bool is_success(const http::Response& response) {
  const int status = response.status();
  return status >= 200 && status < 300 && !is_html(response.head());
}

Kind kind_of(const Refusal& refusal, UploadWay way) {
  if (refusal.has("DIGEST_INVALID") || refusal.has("SIZE_INVALID")) return Kind::mismatch;
  if (refusal.has("BLOB_UPLOAD_UNKNOWN") || refusal.has("BLOB_UPLOAD_INVALID")) return Kind::lost;
  if (http::is_retryable_status(refusal.status) && !refusal.mentions("quota")) return Kind::try_later;
  switch (refusal.status) {
    case 413:
      return Kind::too_large;
    case 416:
      return Kind::lost;
    case 404:
      return way == UploadWay::put ? Kind::other_way : Kind::lost;
    case 400:
      return refusal.items.empty() || refusal.has("UNSUPPORTED") ? Kind::other_way : Kind::refused;
    case 405:
    case 411:
    case 415:
    case 501:
      return Kind::other_way;
    default:
      return Kind::refused;
  }
}

UploadOutcome outcome_of(HostSession& host, http::Response& response, UploadWay way) {
  UploadOutcome outcome;
  outcome.refusal = read_refusal(response);
  outcome.kind = kind_of(*outcome.refusal, way);
  if (const auto value = response.head().headers.find("Retry-After")) {
    outcome.retry_after = http::parse_retry_after(*value, host.parts().clock.wall());
  }
  return outcome;
}

// "0-99" and "bytes=0-99" both say that 100 bytes are there. Nothing said is no objection (R73).
bool has_taken(const http::ResponseHead& head, std::uint64_t count) {
  std::string range = head.headers.find("Range").value_or("");
  if (range.starts_with("bytes=")) range.erase(0, 6);
  return range.empty() || range == fmt::format("0-{}", count - 1);
}

http::Request request_of(HostSession& host, http::Method method, const http::Url& url) {
  http::Request request = host.request(method, url);
  request.headers.set("Content-Type", k_octets);
  request.repeatable = false;
  return request;
}

http::Url commit_url(const UploadSession& session, const OutgoingBlob& blob) {
  return session.location.with_parameter("digest", blob.descriptor().digest.str());
}

void set_whole_body(http::Request& request, OutgoingBlob& blob) {
  request.body_size = blob.descriptor().size;
  if (request.body_size != 0) request.open_body = [&blob] { return blob.open_counted(); };
}

UploadOutcome commit_empty(HostSession& host, const std::string& path, const UploadSession& session,
                           const OutgoingBlob& blob, UploadWay way) {
  const auto response =
      host.send(request_of(host, http::Method::put, commit_url(session, blob)), {path, true});
  if (!is_success(*response)) return outcome_of(host, *response, way);
  drain(*response);
  return {};
}

std::string take_chunk(io::Source& source, std::string& ahead, std::uint64_t size) {
  std::vector<std::byte> buffer(io::k_pump_buffer);
  while (ahead.size() < size) {
    const std::size_t count = source.read(buffer);
    if (count == 0) break;
    ahead.append(io::text_of(std::span(buffer).first(count)));
  }
  std::string chunk = ahead.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(size, ahead.size())));
  ahead.erase(0, chunk.size());
  return chunk;
}

}  // namespace

void SentCount::add(std::uint64_t count) {
  m_total += static_cast<std::int64_t>(count);
  if (m_sent && count != 0) m_sent(static_cast<std::int64_t>(count));
}

void SentCount::restart() {
  if (m_sent && m_total != 0) m_sent(-m_total);
  m_total = 0;
}

OutgoingBlob::OutgoingBlob(const image::Descriptor& descriptor, const transport::BlobOpener& open,
                           const std::function<void(std::int64_t)>& sent)
    : m_descriptor(descriptor), m_open(open), m_count(sent) {}

std::unique_ptr<io::Source> OutgoingBlob::open_checked() const {
  return std::make_unique<CheckedSource>(m_open(0), m_descriptor, nullptr);
}

std::unique_ptr<io::Source> OutgoingBlob::open_counted() {
  m_count.restart();
  return std::make_unique<CheckedSource>(m_open(0), m_descriptor, &m_count);
}

void OutgoingBlob::check_bytes() const {
  const auto source = open_checked();
  std::vector<std::byte> buffer(io::k_pump_buffer);
  while (source->read(buffer) != 0) {
  }
}

UploadOutcome upload_by_put(HostSession& host, const std::string& path, UploadSession session,
                            OutgoingBlob& blob) {
  http::Request request = request_of(host, http::Method::put, commit_url(session, blob));
  set_whole_body(request, blob);
  const auto response = host.send(std::move(request), {path, true});
  if (!is_success(*response)) return outcome_of(host, *response, UploadWay::put);
  drain(*response);
  return {};
}

UploadOutcome upload_by_patch(HostSession& host, const std::string& path, UploadSession session,
                              OutgoingBlob& blob) {
  if (blob.descriptor().size != 0) {
    http::Request request = request_of(host, http::Method::patch, session.location);
    set_whole_body(request, blob);
    const auto response = host.send(std::move(request), {path, true});
    if (!is_success(*response)) return outcome_of(host, *response, UploadWay::patch);
    drain(*response);
    if (!has_taken(response->head(), blob.descriptor().size)) return {Kind::lost};
    session.location = next_location(host, response->head());
  }
  return commit_empty(host, path, session, blob, UploadWay::patch);
}

UploadOutcome upload_by_chunks(HostSession& host, const std::string& path, UploadSession session,
                               OutgoingBlob& blob, std::uint64_t chunk_size) {
  const std::uint64_t size = blob.descriptor().size;
  const auto source = blob.open_checked();
  blob.count().restart();
  std::string ahead;  // read, not sent yet
  for (std::uint64_t at = 0; at < size;) {
    std::string chunk = take_chunk(*source, ahead, chunk_size);
    if (at + chunk.size() >= size) static_cast<void>(take_chunk(*source, ahead, 1));  // the end, verified
    const std::uint64_t end = at + chunk.size();
    http::Request request = request_of(host, http::Method::patch, session.location);
    request.headers.set("Content-Range", fmt::format("{}-{}", at, end - 1));
    http::set_body(request, std::move(chunk), k_octets);
    const auto response = host.send(std::move(request), {path, true});
    if (!is_success(*response)) {
      UploadOutcome outcome = outcome_of(host, *response, UploadWay::chunks);
      if (at == 0 && response->status() == 416) outcome.kind = Kind::too_large;  // how GHCR puts it
      return outcome;
    }
    drain(*response);
    if (!has_taken(response->head(), end)) return {Kind::lost};
    session.location = next_location(host, response->head());
    blob.count().add(end - at);
    at = end;
  }
  return commit_empty(host, path, session, blob, UploadWay::chunks);
}

}  // namespace airgap::registry
