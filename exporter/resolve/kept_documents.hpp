#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <utility>

namespace airgap::exporter {

/// Small documents of a run, each read once however many images name it at once, and kept up to a bound in
/// all; what is beyond is read again. Thread-safe.
template <class Key, class Document>
class KeptDocuments {
 public:
  using Pointer = std::shared_ptr<const Document>;

  /// `size_of` gives a document's bytes.
  KeptDocuments(std::uint64_t most_bytes, std::function<std::uint64_t(const Document&)> size_of)
      : m_most(most_bytes), m_size_of(std::move(size_of)) {}

  /// What `read` gives; null is never kept. While one caller reads, others that want the same wait. What
  /// `read` throws goes to its caller alone.
  Pointer get(const Key& key, const std::function<Pointer()>& read) {
    Slot* slot = nullptr;
    {
      const std::scoped_lock lock(m_mutex);
      std::unique_ptr<Slot>& place = m_slots[key];
      if (!place) place = std::make_unique<Slot>();
      slot = place.get();
    }
    const std::scoped_lock lock(slot->mutex);
    if (slot->document) return slot->document;
    Pointer document = read();
    if (document && (m_bytes += m_size_of(*document)) <= m_most) slot->document = document;
    return document;
  }

  std::map<Key, Pointer> all() const {
    const std::scoped_lock lock(m_mutex);
    std::map<Key, Pointer> all;
    for (const auto& [key, slot] : m_slots) {
      const std::scoped_lock slot_lock(slot->mutex);
      if (slot->document) all.emplace(key, slot->document);
    }
    return all;
  }

 private:
  struct Slot {
    std::mutex mutex;  ///< held while the document is read
    Pointer document;
  };
  std::uint64_t m_most;
  std::function<std::uint64_t(const Document&)> m_size_of;
  mutable std::mutex m_mutex;
  std::map<Key, std::unique_ptr<Slot>> m_slots;
  std::atomic<std::uint64_t> m_bytes = 0;
};

}  // namespace airgap::exporter
