#pragma once

#include <cstdint>
#include <memory>
#include <stop_token>

#include "common/io/stream.hpp"
#include "common/registry/upload_ways.hpp"

namespace airgap::registry {

/// The bytes of a blob, one chunk after the other. They are read in order and hashed once each, and the last
/// of them are only given out once size and digest are right. Throws DigestMismatch, and what the blob's
/// source throws.
class ChunkBytes {
 public:
  virtual ~ChunkBytes() = default;
  virtual std::uint64_t most() const noexcept = 0;  ///< bytes that a chunk should have
  /// Before open(): the next chunk has `size` bytes, at most those that are left.
  virtual void prepare(std::uint64_t size) = 0;
  /// That chunk from its start, as often as it is asked for; one source at a time is read.
  virtual std::unique_ptr<io::Source> open() = 0;
  /// The registry has all before `place`, which no chunk began behind: the next one begins there.
  virtual void advance_to(std::uint64_t place) = 0;
};

/// Of a blob that can be opened anywhere: it is read while it is sent, and again from the start of a chunk
/// that broke off.
std::unique_ptr<ChunkBytes> streamed_chunks(OutgoingBlob& blob, std::stop_token stop);
/// Of a blob that passes by: a chunk is held in memory until the registry has taken it.
std::unique_ptr<ChunkBytes> held_chunks(const OutgoingBlob& blob, std::stop_token stop);

}  // namespace airgap::registry
