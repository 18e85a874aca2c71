#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

struct ZSTD_CCtx_s;

namespace airgap::zstd {

enum class Effort {
  none,    ///< for what is compressed already: stores it as it is
  normal,  ///< zstd's own default
};

/// Makes frames. The same content, effort and version of zstd give the same bytes. Used by one thread at a
/// time; some 4 MiB.
class FrameCompressor {
 public:
  FrameCompressor();

  /// One frame with a check sum. `content` has between one and k_max_content bytes; the result holds until
  /// the next call.
  std::span<const std::byte> compress(std::span<const std::byte> content, Effort effort);

 private:
  struct Free {
    void operator()(ZSTD_CCtx_s* context) const noexcept;
  };
  std::unique_ptr<ZSTD_CCtx_s, Free> m_context;
  std::vector<std::byte> m_out;
};

}  // namespace airgap::zstd
