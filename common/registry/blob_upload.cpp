#include "common/registry/blob_upload.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <random>
#include <utility>

#include "common/diag/log.hpp"
#include "common/hash/verifying_source.hpp"
#include "common/registry/blob_download.hpp"
#include "common/registry/chunked_upload.hpp"
#include "common/registry/upload_session.hpp"
#include "common/registry/upload_ways.hpp"

namespace airgap::registry {
namespace {

using Kind = UploadOutcome::Kind;

constexpr int k_max_sessions = 3;  // lost ones in a row (R71)
// In bytes. A chunk is held in memory.
constexpr std::uint64_t k_smallest_chunk = std::uint64_t{1} << 20;  // what nginx takes by default
constexpr std::uint64_t k_usual_chunk = std::uint64_t{4} << 20;     // what GHCR takes at most
constexpr std::uint64_t k_largest_chunk = std::uint64_t{32} << 20;

double jitter() {
  thread_local std::mt19937_64 engine(std::random_device{}());
  return std::uniform_real_distribution<>(0.0, 1.0)(engine);
}

/// Sends one blob until it is there or nothing is left to try.
class BlobUpload {
 public:
  BlobUpload(HostSession& host, const std::string& path, OutgoingBlob& blob, transport::Reread reread)
      : m_host(host), m_path(path), m_blob(blob), m_chunk(host.learned().chunk_size) {
    take_learned_way();
    const bool passes_by =
        reread == transport::Reread::beginning && blob.descriptor().size > transport::k_held;
    if (passes_by) choose_chunks();
  }

  void run() {
    UploadOutcome outcome;
    try {
      do {
        outcome = attempt();
        if (outcome.kind == Kind::done) return remember();
      } while (prepare_next(outcome));
    } catch (const transport::PassedBy& passed) {
      fail_passed_by(outcome, passed);
    }
  }

 private:
  UploadOutcome attempt() {
    UploadSession session;
    if (!m_chunked) session = start_upload(m_host, m_path, m_blob.descriptor());
    if (m_way == UploadWay::chunks && !m_chunked) m_chunked.emplace(m_host, m_path, session, m_blob);
    try {
      switch (m_way) {
        case UploadWay::put:
          return upload_by_put(m_host, m_path, session, m_blob);
        case UploadWay::patch:
          return upload_by_patch(m_host, m_path, session, m_blob);
        case UploadWay::chunks:
          return m_chunked->send_rest(chunk_size());
      }
    } catch (const http::TransferError& error) {
      note_progress();
      if (!error.retryable() || m_failures == m_host.parts().options.retry.repeats) throw;
      m_why = error.message();
      // A line that breaks once breaks again: what was taken by then need not be sent another time.
      if (m_way == UploadWay::put && m_blob.descriptor().size > transport::k_held)
        m_after_break = choose_chunks();
    }
    return {Kind::try_later};
  }

  // Where the registry does not ask for them, and has not refused them before.
  bool choose_chunks() {
    if (m_way == UploadWay::chunks || m_host.learned().chunks_refused) return false;
    m_by_choice = true;
    m_way = UploadWay::chunks;
    m_chunk = m_host.learned().chunk_size;
    return true;
  }

  // False when it turned out to be there already.
  bool prepare_next(const UploadOutcome& outcome) {
    note_progress();
    if (refuses_chosen_chunks(outcome)) return true;
    const bool goes_on = outcome.kind == Kind::try_later || outcome.kind == Kind::too_large;
    if (!goes_on || m_taken == 0) m_chunked.reset();
    switch (outcome.kind) {
      case Kind::try_later:
        wait(outcome);
        return !is_there();  // the reply may have been lost, not the blob (R77)
      case Kind::lost:
        if (m_after_break) {  // it keeps nothing of a chunk that breaks off, so chunks are of no use
          give_up_chunks();
          return !is_there();
        }
        if (++m_lost == k_max_sessions) fail(outcome, "it loses its upload sessions");
        return !is_there();
      case Kind::other_way:
        take_other_way(outcome);
        return true;
      case Kind::too_large:
        make_smaller(outcome);
        return true;
      case Kind::mismatch:
        m_blob.check_bytes();
        if (std::exchange(m_mismatched, true)) fail(outcome, "the bytes that were sent are right");
        return true;
      case Kind::done:
      case Kind::refused:
        break;
    }
    fail(outcome, {});
  }

  // What a large blob gets taken in is worth a fresh set of repeats.
  void note_progress() {
    m_taken = m_chunked ? m_chunked->taken() : 0;
    if (m_taken > m_most_taken) m_failures = 0;
    m_most_taken = std::max(m_most_taken, m_taken);
  }

  // The chunks were our wish: a registry that does not take the first one is asked in its own way.
  bool refuses_chosen_chunks(const UploadOutcome& outcome) {
    if (!m_by_choice || m_taken != 0 || outcome.kind == Kind::try_later || outcome.kind == Kind::too_large)
      return false;
    give_up_chunks();
    return true;
  }

  void give_up_chunks() {
    m_by_choice = false;
    m_after_break = false;
    m_host.learned().chunks_refused = true;
    m_chunked.reset();
    take_learned_way();
  }

  void take_learned_way() {
    m_way = m_host.learned().upload_way;
    m_chunk = std::min(m_chunk, k_usual_chunk);
  }

  void wait(const UploadOutcome& outcome) {
    const http::RetryPolicy& policy = m_host.parts().options.retry;
    const auto asked = outcome.retry_after.value_or(std::chrono::milliseconds(0));
    if (m_failures == policy.repeats) fail(outcome, {});
    if (asked > policy.longest_wait) {
      throw diag::NetworkError(
          fmt::format("{} asks to wait {} s before {}", m_host.registry(), asked.count() / 1000,
                      asked_here().subject),
          "run again later: what is there is skipped; or wait longer with --max-wait SECONDS");
    }
    const auto time = std::max(asked, policy.backoff(m_failures++, jitter()));
    const std::string why = outcome.refusal ? outcome.refusal->str() : m_why;
    diag::log("registry", diag::LogLevel::debug,
              fmt::format("{}: {}; again in {} ms", asked_here().subject, why, time.count()));
    m_host.parts().clock.sleep(time, m_host.parts().options.stop);
  }

  void take_other_way(const UploadOutcome& outcome) {
    if (m_way == UploadWay::chunks) fail(outcome, {});
    m_way = m_way == UploadWay::put ? UploadWay::patch : UploadWay::chunks;
  }

  void make_smaller(const UploadOutcome& outcome) {
    if (m_way != UploadWay::chunks && m_blob.descriptor().size > k_smallest_chunk) {
      m_way = UploadWay::chunks;
      while (m_chunk > k_smallest_chunk && m_blob.descriptor().size <= m_chunk) shrink_chunk();
      return;
    }
    if (m_way != UploadWay::chunks || m_chunk <= k_smallest_chunk) fail(outcome, {});
    shrink_chunk();
  }
  void shrink_chunk() { m_chunk = m_chunk > k_usual_chunk ? k_usual_chunk : k_smallest_chunk; }

  std::uint64_t chunk_size() const {
    return std::min(std::max(m_chunk, m_chunked->min_chunk()), k_largest_chunk);
  }

  bool is_there() {
    const bool there = has_blob(m_host, m_path, m_blob.descriptor().digest);
    if (!there) return false;
    m_blob.count().restart();
    m_blob.count().add(m_blob.descriptor().size);
    return true;
  }

  void remember() {
    if (!m_by_choice) m_host.learned().upload_way = m_way;
    if (m_way == UploadWay::chunks) m_host.learned().chunk_size = m_chunk;
  }

  Asked asked_here() const { return asked_to_push(m_host, m_path, m_blob.descriptor()); }

  [[noreturn]] void fail(const UploadOutcome& outcome, std::string_view why) const {
    if (outcome.refusal && why.empty()) throw_refusal(*outcome.refusal, asked_here());
    const std::string what = outcome.refusal ? outcome.refusal->str() : m_why;
    throw diag::NetworkError(fmt::format("{} did not take {}: {}{}{}", m_host.registry(),
                                         asked_here().subject, why, what.empty() ? "" : ": ", what),
                             "run the same command again: what is there is skipped");
  }

  [[noreturn]] void fail_passed_by(const UploadOutcome& outcome, const transport::PassedBy& passed) const {
    std::string what = outcome.refusal ? outcome.refusal->str() : m_why;
    if (outcome.refusal && !m_why.empty()) what += ", after " + m_why;
    throw diag::NetworkError(
        fmt::format("{} did not take {}: {}{}{}", m_host.registry(), asked_here().subject, what,
                    what.empty() ? "" : "; ", passed.message()),
        passed.hint());
  }

  HostSession& m_host;
  const std::string& m_path;
  OutgoingBlob& m_blob;
  UploadWay m_way = UploadWay::put;
  std::uint64_t m_chunk;       // bytes
  bool m_by_choice = false;    // in chunks, which the registry did not ask for
  bool m_after_break = false;  // and so since a request for all of it broke off
  std::optional<ChunkedUpload> m_chunked;
  std::uint64_t m_taken = 0;       // bytes, of m_chunked
  std::uint64_t m_most_taken = 0;  // bytes, in any session
  std::size_t m_failures = 0;
  int m_lost = 0;
  bool m_mismatched = false;
  std::string m_why;  // of the latest broken transfer
};

}  // namespace

void upload_blob(HostSession& host, const std::string& path, OutgoingBlob blob, transport::Reread reread) {
  if (blob.descriptor().size == 0) blob.check_bytes();  // nothing is read while nothing is sent
  host.require_registry();
  BlobUpload(host, path, blob, reread).run();
}

}  // namespace airgap::registry
