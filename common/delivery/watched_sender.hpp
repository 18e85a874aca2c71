#pragma once

#include <memory>
#include <span>

#include "common/diag/error.hpp"
#include "common/transport/image_source.hpp"

namespace airgap::delivery {

/// Opens a blob of the sender's, and remembers when that or reading it failed for want of the right bytes: a
/// registry that takes them fails with Errors of the same kinds. Outlives what it opens; used by one thread.
class WatchedSender {
 public:
  /// `open` is borrowed.
  explicit WatchedSender(const transport::BlobOpener& open) : m_open(open) {}

  std::unique_ptr<io::Source> open(std::uint64_t offset);
  bool failed() const noexcept { return m_failed; }  ///< with an integrity or storage error

 private:
  template <class Body>
  auto watch(Body&& body) {
    try {
      return body();
    } catch (const diag::IntegrityError&) {
      m_failed = true;
      throw;
    } catch (const diag::StorageError&) {
      m_failed = true;
      throw;
    }
  }

  class Watched final : public io::Source {
   public:
    Watched(WatchedSender& sender, std::unique_ptr<io::Source> bytes)
        : m_sender(sender), m_bytes(std::move(bytes)) {}
    std::size_t read(std::span<std::byte> out) override {
      return m_sender.watch([&] { return m_bytes->read(out); });
    }
    void reject() override { m_bytes->reject(); }

   private:
    WatchedSender& m_sender;
    std::unique_ptr<io::Source> m_bytes;
  };

  const transport::BlobOpener& m_open;
  bool m_failed = false;
};

inline std::unique_ptr<io::Source> WatchedSender::open(std::uint64_t offset) {
  return watch([&] { return std::make_unique<Watched>(*this, m_open(offset)); });
}

}  // namespace airgap::delivery
