#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "common/http/message.hpp"

namespace airgap::http {

/// The body of one attempt. Its last bytes are only given out after the source has reported its end, so a
/// source that verifies (hash::VerifyingSource) has approved them before a server can see a whole body.
class UploadBody {
 public:
  explicit UploadBody(const Request& request);

  /// Fills the front of `out`, of any size; 0 is the end. Throws what the source throws, and IntegrityError
  /// when it holds more or less than the request's body_size.
  std::size_t read(std::span<std::byte> out);
  void rewind();  ///< opens the body again

 private:
  std::size_t read_source(std::span<std::byte> out);
  void confirm_end();

  std::function<std::unique_ptr<io::Source>()> m_open;
  std::uint64_t m_size;  // bytes
  std::uint64_t m_left = 0;
  std::unique_ptr<io::Source> m_source;
  std::vector<std::byte> m_small;  // for calls below the smallest buffer that a source takes
  std::size_t m_small_at = 0;
};

}  // namespace airgap::http
