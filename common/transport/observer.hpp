#pragma once

#include <cstdint>
#include <string_view>

#include "common/hash/digest.hpp"

namespace airgap::transport {

/// Told of what moves. Called from any thread; implementations are quick and do not throw.
class Observer {
 public:
  virtual ~Observer() = default;
  /// A blob begins to move; `already` of its `size` bytes are there from an earlier run.
  virtual void blob_started(const hash::Digest& digest, std::uint64_t size, std::uint64_t already) = 0;
  /// `moved` more bytes of it arrived.
  virtual void blob_progress(const hash::Digest& digest, std::uint64_t moved) = 0;
  /// An attempt failed and its `lost` bytes will move again.
  virtual void blob_restarted(const hash::Digest& digest, std::uint64_t lost) = 0;
  /// The bytes that came are not the blob's, which is tried once more from zero. `why` is safe to print.
  virtual void blob_rejected(const hash::Digest& digest, std::string_view why);
  /// It is in place: "fetched", "pushed", "mounted" or "present".
  virtual void blob_finished(const hash::Digest& digest, std::uint64_t size, std::string_view outcome) = 0;
};

/// An observer that nobody watches.
Observer& no_observer();

}  // namespace airgap::transport
