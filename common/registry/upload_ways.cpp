#include "common/registry/upload_ways.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <string_view>
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

http::Url commit_url(const UploadSession& session, const image::Descriptor& blob) {
  return session.location.with_parameter("digest", blob.digest.str());
}

void set_whole_body(http::Request& request, OutgoingBlob& blob) {
  request.body_size = blob.descriptor().size;
  if (request.body_size != 0) request.open_body = [&blob] { return blob.open_counted(); };
}

}  // namespace

std::optional<std::uint64_t> bytes_there(const http::ResponseHead& head) {
  const std::string text = head.headers.find("Range").value_or("");
  std::string_view range = text;
  if (range.starts_with("bytes=")) range.remove_prefix(6);
  if (range.empty()) return std::nullopt;
  std::uint64_t last = 0;
  const char* begin = range.data() + std::min<std::size_t>(2, range.size());
  const auto [end, error] = std::from_chars(begin, range.data() + range.size(), last);
  const bool is_range = range.starts_with("0-") && error == std::errc() && end == range.data() + range.size();
  return is_range && last < std::numeric_limits<std::uint64_t>::max() ? last + 1 : 0;
}

bool is_success(const http::Response& response) {
  const int status = response.status();
  return status >= 200 && status < 300 && !is_html(response.head());
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

http::Request upload_request(HostSession& host, http::Method method, const http::Url& url) {
  http::Request request = host.request(method, url);
  request.headers.set("Content-Type", k_octets);
  request.repeatable = false;
  return request;
}

UploadOutcome commit(HostSession& host, const std::string& path, const UploadSession& session,
                     const image::Descriptor& blob, UploadWay way, std::chrono::milliseconds grace) {
  http::Request request = upload_request(host, http::Method::put, commit_url(session, blob));
  request.grace = grace;
  const auto response = host.send(std::move(request), {path, true});
  if (!is_success(*response)) return outcome_of(host, *response, way);
  drain(*response);
  return {};
}

void SentCount::restart(std::uint64_t found) {
  move_to(m_found);
  m_found = m_place = found;
  if (m_news.found && found != 0) m_news.found(found);
}

void SentCount::give_up(std::uint64_t kept) {
  move_to(std::max(kept, m_found));
}

void SentCount::move_to(std::uint64_t place) {
  const auto change = static_cast<std::int64_t>(place) - static_cast<std::int64_t>(m_place);
  m_place = place;
  if (m_news.sent && change != 0) m_news.sent(change);
}

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

UploadOutcome upload_by_put(HostSession& host, const std::string& path, const UploadSession& session,
                            OutgoingBlob& blob) {
  http::Request request = upload_request(host, http::Method::put, commit_url(session, blob.descriptor()));
  set_whole_body(request, blob);
  const auto response = host.send(std::move(request), {path, true});
  if (!is_success(*response)) return outcome_of(host, *response, UploadWay::put);
  drain(*response);
  return {};
}

UploadOutcome upload_by_patch(HostSession& host, const std::string& path, UploadSession session,
                              OutgoingBlob& blob) {
  if (blob.descriptor().size != 0) {
    http::Request request = upload_request(host, http::Method::patch, session.location);
    set_whole_body(request, blob);
    const auto response = host.send(std::move(request), {path, true});
    if (!is_success(*response)) return outcome_of(host, *response, UploadWay::patch);
    drain(*response);
    const std::uint64_t size = blob.descriptor().size;
    if (bytes_there(response->head()).value_or(size) != size) return {Kind::lost};
    session.location = next_location(host, response->head());
  }
  return commit(host, path, session, blob.descriptor(), UploadWay::patch);
}

}  // namespace airgap::registry
