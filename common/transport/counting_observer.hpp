#pragma once

#include <atomic>
#include <cstdint>

#include "common/transport/observer.hpp"

namespace airgap::transport {

/// Counts what moves, and tells another observer, which is borrowed.
class CountingObserver final : public Observer {
 public:
  explicit CountingObserver(Observer& next) : m_next(next) {}

  void blob_started(const hash::Digest& digest, std::uint64_t size, std::uint64_t already) override {
    m_already += already;
    m_next.blob_started(digest, size, already);
  }
  void blob_progress(const hash::Digest& digest, std::uint64_t moved) override {
    m_bytes += moved;
    m_next.blob_progress(digest, moved);
  }
  void blob_restarted(const hash::Digest& digest, std::uint64_t lost) override {
    m_bytes -= lost;
    m_next.blob_restarted(digest, lost);
  }
  void blob_finished(const hash::Digest& digest, std::uint64_t size, std::string_view outcome) override {
    if (outcome != "failed" && outcome != "mounted") ++m_blobs;
    m_next.blob_finished(digest, size, outcome);
  }

  std::uint64_t bytes() const noexcept { return m_bytes; }      ///< without those of attempts that failed
  std::uint64_t already() const noexcept { return m_already; }  ///< bytes from an earlier run
  std::uint64_t blobs() const noexcept { return m_blobs; }      ///< that moved and are in place

 private:
  Observer& m_next;
  std::atomic<std::uint64_t> m_bytes = 0;
  std::atomic<std::uint64_t> m_already = 0;
  std::atomic<std::uint64_t> m_blobs = 0;
};

}  // namespace airgap::transport
