#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace airgap::io {

/// The smallest buffer that read() may be handed, in bytes.
inline constexpr std::size_t k_min_read = std::size_t{16} * 1024;
/// The buffer that pump() uses, in bytes: large enough that a system call's cost does not show.
inline constexpr std::size_t k_pump_buffer = std::size_t{256} * 1024;

/// Bytes that are pulled. Used by one thread at a time.
class Source {
 public:
  virtual ~Source() = default;
  /// Fills the front of `out` (at least k_min_read bytes) and returns the count; 0 is the end, for good.
  /// Throws diag::Error; a stream that failed has not ended.
  virtual std::size_t read(std::span<std::byte> out) = 0;
  /// Says that the bytes that were read are not those that were asked for. Who hands on another Source's
  /// bytes hands this on as well.
  virtual void reject() {}
};

/// Bytes that are pushed. Used by one thread at a time.
class Sink {
 public:
  virtual ~Sink() = default;  ///< Destroyed unfinished, it publishes nothing.
  virtual void write(std::span<const std::byte> data) = 0;
  virtual void finish() = 0;  ///< Publishes: flush, fsync, rename. Called once, last.
};

/// Copies `from` to its end into `to`, without finish(). Returns the number of bytes.
std::uint64_t pump(Source& from, Sink& to);

/// Reads `from` to its end into memory. Throws UnsafeError when it holds more than `cap` bytes;
/// `what` names the thing in that message ("manifest", "token reply").
std::string read_all(Source& from, std::size_t cap, std::string_view what);

/// A Source over text that it borrows.
class MemorySource : public Source {
 public:
  explicit MemorySource(std::string_view bytes) : m_rest(bytes) {}
  std::size_t read(std::span<std::byte> out) override;

 private:
  std::string_view m_rest;
};

/// The bytes of `text`, viewed.
inline std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}
inline std::string_view text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace airgap::io
