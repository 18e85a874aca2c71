#pragma once

#include <memory>
#include <vector>

#include "common/io/stream.hpp"
#include "common/io/zero_padding.hpp"

struct z_stream_s;

namespace airgap::gzip {

/// The content of gzip members that come one after another (RFC 1952), and of the zeros that may fill up the
/// last block nothing. Throws IntegrityError for damage and what else follows, io::EndsEarly for an end
/// inside a member; a member's last bytes may be given before its check sum is looked at.
class DecompressingSource : public io::Source {
 public:
  /// `input` is borrowed.
  explicit DecompressingSource(io::Source& input);
  std::size_t read(std::span<std::byte> out) override;

 private:
  struct End {
    void operator()(z_stream_s* stream) const noexcept;
  };
  bool fill();  ///< false at the end of the input
  void begin_member();

  io::Source& m_input;
  std::unique_ptr<z_stream_s, End> m_stream;
  std::vector<std::byte> m_buffer;
  std::span<std::byte> m_in;
  std::uint64_t m_read = 0;  ///< bytes of the input
  bool m_between_members = true;
  bool m_has_member = false;  // whole
  io::ZeroPadding m_padding{"the gzip data"};
};

}  // namespace airgap::gzip
