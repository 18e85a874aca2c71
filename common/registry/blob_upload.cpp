#include "common/registry/blob_upload.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <random>
#include <utility>

#include "common/diag/log.hpp"
#include "common/hash/verifying_source.hpp"
#include "common/registry/blob_download.hpp"
#include "common/registry/chunked_upload.hpp"
#include "common/registry/kept_uploads.hpp"
#include "common/registry/upload_session.hpp"
#include "common/registry/upload_ways.hpp"

namespace airgap::registry {
namespace {

using Kind = UploadOutcome::Kind;

constexpr int k_max_sessions = 3;  // lost ones in a row (R71)
// In bytes.
constexpr std::uint64_t k_large = std::uint64_t{64} << 20;  // worth the round trips of chunks from the start
constexpr std::uint64_t k_usual_chunk = std::uint64_t{4} << 20;     // what GHCR takes at most
constexpr std::uint64_t k_smallest_chunk = std::uint64_t{1} << 20;  // what nginx takes by default

double jitter() {
  thread_local std::mt19937_64 engine(std::random_device{}());
  return std::uniform_real_distribution<>(0.0, 1.0)(engine);
}

UploadKey key_of(HostSession& host, const std::string& path, const image::Descriptor& blob) {
  return {host.origin().str(), path, blob.digest, blob.size};
}

/// Sends one blob until it is there or nothing is left to try.
class BlobUpload {
 public:
  BlobUpload(HostSession& host, const std::string& path, OutgoingBlob& blob)
      : m_host(host), m_path(path), m_blob(blob), m_most(host.learned().most_in_chunk) {
    take_learned_way();
    if (blob.passes_by() || blob.descriptor().size >= k_large) choose_chunks();
  }

  void run() {
    try {
      send();
    } catch (...) {
      m_blob.count().give_up(kept());
      throw;
    }
  }

 private:
  void send() {
    UploadOutcome outcome;
    try {
      resume();
      do {
        outcome = attempt();
        if (outcome.kind == Kind::done) return remember();
      } while (prepare_next(outcome));
      forget();
    } catch (const transport::PassedBy& passed) {
      fail_passed_by(outcome, passed);
    } catch (const hash::DigestMismatch&) {
      drop_chunks();
      throw;
    }
  }

  // Bytes that a later run finds.
  std::uint64_t kept() {
    note_progress();
    return m_record ? m_taken : 0;
  }

  // What an earlier run began.
  void resume() {
    KeptUploads* const kept = m_host.parts().options.kept_uploads;
    if (kept == nullptr || m_blob.descriptor().size <= transport::k_held) return;
    m_record = kept->claim(key_of(m_host, m_path, m_blob.descriptor()));
    const auto left = m_record ? m_record->left() : std::nullopt;
    const auto session = left ? kept_session(m_host, *left) : std::nullopt;
    if (!session || !choose_chunks()) return;
    m_chunked.emplace(m_host, m_path, *session, m_blob, m_record.get());
    m_resumed = m_chunked->go_on();
    note_progress();
    if (!m_resumed) return m_chunked.reset();  // the record stays until a new upload has begun
    diag::log(
        "registry", diag::LogLevel::debug,
        fmt::format("{}: goes on at byte {}, where an earlier run ended", asked_here().subject, m_taken));
  }

  UploadOutcome attempt() {
    UploadSession session;
    if (!m_chunked) session = start_upload(m_host, m_path, m_blob.descriptor());
    if (m_way == UploadWay::chunks && !m_chunked) {
      m_chunked.emplace(m_host, m_path, session, m_blob, m_record.get());
    }
    try {
      switch (m_way) {
        case UploadWay::put:
          return upload_by_put(m_host, m_path, session, m_blob);
        case UploadWay::patch:
          return upload_by_patch(m_host, m_path, session, m_blob);
        case UploadWay::chunks:
          return m_chunked->send_rest(m_most);
      }
    } catch (const http::TransferError& error) {
      note_progress();
      if (!error.retryable() || m_failures == m_host.parts().options.retry.repeats) throw;
      m_why = error.message();
      m_broke_off = m_way == UploadWay::chunks;
      // A line that breaks once breaks again: what was taken by then need not be sent another time.
      if (m_way == UploadWay::put && m_blob.descriptor().size > transport::k_held) choose_chunks();
    }
    return {Kind::try_later};
  }

  // Where the registry does not ask for them, and has not refused them before.
  bool choose_chunks() {
    if (m_way == UploadWay::chunks) return true;
    if (m_no_chunks || m_host.learned().chunks_refused) return false;
    m_by_choice = true;
    m_way = UploadWay::chunks;
    m_most = m_host.learned().most_in_chunk;
    return true;
  }

  // False when it turned out to be there already.
  bool prepare_next(const UploadOutcome& outcome) {
    note_progress();
    if (m_resumed && (outcome.kind == Kind::lost || outcome.kind == Kind::mismatch)) {  // not by this run
      drop_chunks();
      return !is_there();
    }
    if (refuses_chosen_chunks(outcome)) {
      m_host.learned().chunks_refused = true;
      give_up_chunks();
      return m_taken == 0 || !is_there();
    }
    const bool goes_on = outcome.kind == Kind::try_later || outcome.kind == Kind::too_large;
    if (!goes_on || m_taken == 0) drop_chunks();
    switch (outcome.kind) {
      case Kind::try_later:
        wait(outcome);
        return !is_there();  // the reply may have been lost, not the blob (R77)
      case Kind::lost:
        if (m_by_choice && m_broke_off) {  // it keeps nothing of a chunk that breaks off
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
    m_under_way = m_chunked ? m_chunked->under_way() : 0;
    if (m_taken > m_most_taken) m_failures = 0;
    m_most_taken = std::max(m_most_taken, m_taken);
  }

  // The chunks were our wish: a registry that does not take them is asked in its own way. What it says of
  // the first one may be meant for all of them, and one that puts them together wrongly says so at the end.
  bool refuses_chosen_chunks(const UploadOutcome& outcome) const {
    if (!m_by_choice || m_way != UploadWay::chunks) return false;
    switch (outcome.kind) {
      case Kind::other_way:
      case Kind::mismatch:
        return true;
      case Kind::lost:
        return m_taken == 0 || !m_broke_off;
      case Kind::refused:
        return m_taken == 0;
      case Kind::too_large:  // GHCR's 416: of chunks alone
        return m_taken == 0 && outcome.refusal->status == 416 && !m_blob.passes_by();
      case Kind::try_later:
      case Kind::done:
        break;
    }
    return false;
  }

  void give_up_chunks() {
    m_by_choice = false;
    m_no_chunks = true;
    drop_chunks();
    take_learned_way();
  }

  void drop_chunks() {
    m_chunked.reset();
    m_resumed = false;
    forget();
  }
  void forget() {
    if (m_record) m_record->forget();
  }

  void take_learned_way() {
    m_way = m_host.learned().upload_way;
    m_most = std::min(m_most, k_usual_chunk);
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
      while (m_most > k_smallest_chunk && m_blob.descriptor().size <= m_most) shrink_chunks();
      return;
    }
    if (m_under_way != 0) m_most = std::min(m_most, m_under_way);
    if (m_way != UploadWay::chunks || m_most <= k_smallest_chunk) fail(outcome, {});
    shrink_chunks();
  }
  void shrink_chunks() {
    m_most = m_most > k_large ? k_large : m_most > k_usual_chunk ? k_usual_chunk : k_smallest_chunk;
  }

  bool is_there() {
    const bool there = has_blob(m_host, m_path, m_blob.descriptor().digest);
    if (there) m_blob.count().move_to(m_blob.descriptor().size);
    return there;
  }

  void remember() {
    forget();
    if (!m_by_choice) m_host.learned().upload_way = m_way;
    if (m_way == UploadWay::chunks) m_host.learned().most_in_chunk = m_most;
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
  std::uint64_t m_most;                  // bytes of a chunk
  bool m_by_choice = false;              // in chunks, which the registry did not ask for
  bool m_no_chunks = false;              // they are of no use for this blob
  bool m_broke_off = false;              // a chunk did
  bool m_resumed = false;                // m_chunked is of an earlier run
  std::unique_ptr<KeptUpload> m_record;  // outlives m_chunked
  std::optional<ChunkedUpload> m_chunked;
  std::uint64_t m_under_way = 0;   // bytes, of its latest chunk
  std::uint64_t m_taken = 0;       // bytes, of m_chunked
  std::uint64_t m_most_taken = 0;  // bytes, in any session
  std::size_t m_failures = 0;
  int m_lost = 0;
  bool m_mismatched = false;
  std::string m_why;  // of the latest broken transfer
};

}  // namespace

void upload_blob(HostSession& host, const std::string& path, OutgoingBlob blob) {
  if (blob.descriptor().size == 0) blob.check_bytes();  // nothing is read while nothing is sent
  host.require_registry();
  BlobUpload(host, path, blob).run();
}

std::uint64_t kept_bytes(HostSession& host, const std::string& path, const image::Descriptor& blob) {
  KeptUploads* const kept = host.parts().options.kept_uploads;
  if (kept == nullptr || blob.size <= transport::k_held) return 0;
  const auto record = kept->claim(key_of(host, path, blob));
  const auto left = record ? record->left() : std::nullopt;
  const auto session = left ? kept_session(host, *left) : std::nullopt;
  if (!session) return 0;
  try {
    const std::uint64_t taken = bytes_taken(host, path, *session).value_or(0);
    return taken <= blob.size ? taken : 0;
  } catch (const diag::NetworkError&) {  // who goes on with it asks again, and says so
    return 0;
  } catch (const diag::CredentialsError&) {
    return 0;
  }
}

}  // namespace airgap::registry
