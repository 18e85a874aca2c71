#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "bundle-format/archive/partial_archive.hpp"
#include "common/hash/hasher.hpp"

namespace airgap::bundle {

/// Where one part of a blob is going to lie.
struct PartPlace {
  std::shared_ptr<const io::File> file;
  tar::Place place;
};

/// A blob's places in several volumes, each with a progress marker, as one room. Where it is asked to, it
/// takes the sha256 of each part as the bytes go by.
class PartsRoom final : public BlobRoom {
 public:
  /// The parts in order; borrows `digest`, the blob's.
  PartsRoom(std::vector<PartPlace> parts, const hash::Digest& digest, bool hash_parts);

  const std::string& path() const override { return m_rooms.front().file->path(); }
  std::size_t read_at(std::uint64_t offset, std::span<std::byte> out) override;
  void write_at(std::uint64_t offset, std::span<const std::byte> data) override;
  void start_writeback(std::uint64_t offset, std::uint64_t length) override;
  void reached(std::uint64_t bytes) override;

  void mark();   ///< states the bytes reached
  void clear();  ///< states none
  /// One a part, once all bytes went by; empty unless it was asked for.
  std::vector<hash::Digest> take_digests();

 private:
  struct Room {
    std::shared_ptr<const io::File> file;
    std::uint64_t start;  ///< bytes of the blob before it
    std::uint64_t size;
    MarkedRoom marked;
  };
  /// Calls `each` for every room that a range of the blob touches: its own offset, and how much of it.
  template <class Each>
  void across(std::uint64_t offset, std::uint64_t length, Each&& each);
  void hash_on(std::uint64_t offset, std::span<const std::byte> data);

  std::vector<Room> m_rooms;
  bool m_hash_parts;
  std::uint64_t m_hashed = 0;  ///< bytes of the blob
  std::vector<hash::Hasher> m_hashers;
};

}  // namespace airgap::bundle
