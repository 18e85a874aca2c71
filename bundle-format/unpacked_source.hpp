#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "common/io/stream.hpp"

namespace airgap::bundle {

/// How such files begin.
inline constexpr std::string_view k_zstd_magic = "\x28\xb5\x2f\xfd";
inline constexpr std::string_view k_gzip_magic = "\x1f\x8b";

/// The tar of an archive that comes in order, compressed by zstd, by gzip or not: its first bytes tell.
class UnpackedSource : public io::Source {
 public:
  explicit UnpackedSource(io::Source& input) : m_input(input) {}  ///< borrowed
  std::size_t read(std::span<std::byte> out) override;

 private:
  /// The input, with the bytes that were read to look at them given once more.
  class Rewound : public io::Source {
   public:
    explicit Rewound(io::Source& input) : m_input(input) {}
    std::span<const std::byte> look(std::size_t count);  ///< at the first bytes; fewer where it ends
    std::size_t read(std::span<std::byte> out) override;

   private:
    io::Source& m_input;
    std::vector<std::byte> m_front;
    std::size_t m_given = 0;
  };

  Rewound m_input;
  std::unique_ptr<io::Source> m_decompressed;  ///< null where nothing is compressed
  bool m_begun = false;
};

}  // namespace airgap::bundle
