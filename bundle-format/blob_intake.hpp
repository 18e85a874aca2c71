#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "bundle-format/metadata/bundle_json.hpp"
#include "common/io/file.hpp"
#include "common/transport/image_source.hpp"
#include "common/transport/observer.hpp"

namespace airgap::bundle {

/// Where the bytes of one blob lie while they come in. Offsets are in bytes of the blob. Used by one thread.
class BlobRoom {
 public:
  virtual ~BlobRoom() = default;

  /// Of the file that it is in, or begins in.
  virtual const std::string& path() const = 0;
  /// Called in order from the front, by each attempt anew: what is there already, then what comes.
  virtual std::size_t read_at(std::uint64_t offset, std::span<std::byte> out) = 0;
  virtual void write_at(std::uint64_t offset, std::span<const std::byte> data) = 0;
  /// As io::File does.
  virtual void start_writeback(std::uint64_t offset, std::uint64_t length) = 0;
  /// Bytes from the front that are written now; 0 after a failed attempt, when none of them is to be
  /// believed.
  virtual void reached(std::uint64_t bytes) = 0;
};

/// A room in one file, which is borrowed, from `base` on, in bytes.
class FileRoom : public BlobRoom {
 public:
  FileRoom(const io::File& file, std::uint64_t base) : m_file(file), m_base(base) {}

  const io::File& file() const noexcept { return m_file; }
  const std::string& path() const override { return m_file.path(); }
  std::size_t read_at(std::uint64_t offset, std::span<std::byte> out) override {
    return m_file.read_at(m_base + offset, out);
  }
  void write_at(std::uint64_t offset, std::span<const std::byte> data) override {
    m_file.write_at(m_base + offset, data);
  }
  void start_writeback(std::uint64_t offset, std::uint64_t length) override {
    m_file.start_writeback(m_base + offset, length);
  }

 private:
  const io::File& m_file;
  std::uint64_t m_base;
};

/// Who may be to blame for a mismatch, besides the source.
std::string front_of_earlier_run(std::uint64_t bytes);

/// Brings one blob in: hashes the `already` bytes that an earlier run left in the room, reads the rest from
/// `open`, writes it behind them. What does not have the blob's size and digest is tried once more from zero
/// (R4), then thrown as DigestMismatch. After any other failure the bytes that came are in the room, for a
/// rerun. The observer is told of the first mismatch. Never writes past the blob's size. Does not sync.
void take_in(const Blob& blob, std::uint64_t already, BlobRoom& room, const transport::BlobOpener& open,
             transport::Observer& observer);

}  // namespace airgap::bundle
