#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "common/transport/image_source.hpp"

namespace airgap::importer {

/// A blob that comes by once, as an opener of Reread::beginning wants it: the first transport::k_held bytes
/// are held, and given again until more than those were asked for. For one thread; one source at a time is
/// read.
class PassingBlob {
 public:
  /// `bytes` is borrowed; `size` is the blob's.
  PassingBlob(io::Source& bytes, std::uint64_t size);
  /// Reads all of it, which is at most transport::k_held: it can be opened as often as somebody wants.
  void read_ahead();
  /// Throws transport::PassedBy. What it returns borrows this.
  std::unique_ptr<io::Source> open(std::uint64_t offset);

 private:
  class Reader;
  std::size_t read_at(std::uint64_t position, std::span<std::byte> out);

  io::Source& m_bytes;
  std::string m_held;
  std::uint64_t m_passed = 0;  // bytes read from the pipe; all of them are held, or none
  bool m_gone = false;
};

}  // namespace airgap::importer
