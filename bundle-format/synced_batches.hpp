#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "common/diag/error.hpp"
#include "common/task/guarded.hpp"

namespace airgap::bundle {

/// What is written but perhaps not stored yet goes on in batches, each synced before anything vouches for it.
/// Whoever fills a batch brings it on, while the others go on writing. Thread-safe.
///
/// The kernel tells a failed sync once: the next one may succeed though bytes were dropped (R123). So there
/// is one sync at a time, and after a failed one nothing is vouched for any more.
template <class Item>
class SyncedBatches {
 public:
  using Step = std::function<void(const std::vector<Item>& batch)>;
  struct Steps {
    Step sync;     ///< throws StorageError
    Step publish;  ///< vouches for what is stored; from any thread, several at once
    Step forget;   ///< makes sure that no rerun continues it
  };

  /// `where` is for messages.
  SyncedBatches(std::string where, Steps steps) : m_where(std::move(where)), m_steps(std::move(steps)) {}
  /// What is left of a batch is for the next run to continue, unless a sync failed.
  ~SyncedBatches() {
    if (m_failed) forget(take());
  }
  SyncedBatches(const SyncedBatches&) = delete;
  SyncedBatches& operator=(const SyncedBatches&) = delete;

  /// All of its bytes are written. Throws what sync and publish throw.
  void add(Item item, std::uint64_t bytes) {
    publish(m_batch.with([&](Batch& batch) -> std::vector<Item> {
      batch.items.push_back(std::move(item));
      batch.bytes += bytes;
      if (batch.bytes < k_most_bytes && batch.items.size() < k_most_items) return {};
      return take(batch);
    }));
  }
  void publish_rest() { publish(take()); }
  /// These, without waiting for more.
  void publish(const std::vector<Item>& batch) {
    if (batch.empty()) return;
    store(batch);
    m_steps.publish(batch);
  }
  /// Syncs these, and vouches for nothing.
  void store(const std::vector<Item>& batch) {
    const std::scoped_lock lock(m_syncing);
    try {
      if (m_failed) throw diag::StorageError("an earlier sync of " + m_where + " failed");
      m_steps.sync(batch);
    } catch (const diag::Error&) {
      m_failed = true;
      forget(batch);
      throw;
    }
  }

  /// True after a failed sync: what is not published must not be continued.
  bool failed() const noexcept { return m_failed; }
  /// Whether an item that was added waits to be published.
  template <class Predicate>
  bool waiting(const Predicate& predicate) const {
    return m_batch.with([&](const Batch& batch) {
      for (const Item& item : batch.items) {
        if (predicate(item)) return true;
      }
      return false;
    });
  }

 private:
  static constexpr std::uint64_t k_most_bytes = std::uint64_t{256} << 20;
  static constexpr std::size_t k_most_items = 1024;
  struct Batch {
    std::vector<Item> items;
    std::uint64_t bytes = 0;
  };

  static std::vector<Item> take(Batch& batch) {
    batch.bytes = 0;
    return std::exchange(batch.items, {});
  }
  std::vector<Item> take() {
    return m_batch.with([](Batch& batch) { return take(batch); });
  }

  void forget(const std::vector<Item>& batch) noexcept {
    try {
      if (!batch.empty()) m_steps.forget(batch);
    } catch (const std::exception&) {  // the medium fails; nothing more can be done here
    }
  }

  std::string m_where;
  Steps m_steps;
  std::mutex m_syncing;
  std::atomic<bool> m_failed = false;
  task::Guarded<Batch> m_batch;
};

}  // namespace airgap::bundle
