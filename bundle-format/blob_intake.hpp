#pragma once

#include <cstdint>

#include "bundle-format/bundle_json.hpp"
#include "common/io/file.hpp"
#include "common/transport/image_source.hpp"
#include "common/transport/observer.hpp"

namespace airgap::bundle {

/// Where the bytes of one blob lie while they come in: a file from `base` on, in bytes. The file is borrowed.
class BlobRoom {
 public:
  BlobRoom(const io::File& file, std::uint64_t base) : m_file(file), m_base(base) {}
  virtual ~BlobRoom() = default;

  const io::File& file() const noexcept { return m_file; }
  std::uint64_t base() const noexcept { return m_base; }

  /// Bytes from the front that are written now; 0 after a failed attempt, when none of them is to be
  /// believed.
  virtual void reached(std::uint64_t bytes) = 0;

 private:
  const io::File& m_file;
  std::uint64_t m_base;
};

/// Brings one blob in: hashes the `already` bytes that an earlier run left in the room, reads the rest from
/// `open`, writes it behind them. What does not have the blob's size and digest is tried once more from zero
/// (R4), then thrown as DigestMismatch. After any other failure the bytes that came are in the room, for a
/// rerun. Never writes past the blob's size. Does not sync.
void take_in(const Blob& blob, std::uint64_t already, BlobRoom& room, const transport::BlobOpener& open,
             transport::Observer& observer);

}  // namespace airgap::bundle
