#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

struct ZSTD_DCtx_s;

namespace airgap::zstd {

/// zstd's streaming decoder. Used by one thread at a time.
class Decompressor {
 public:
  /// Refuses frames that need more than `max_window` bytes, a power of two.
  explicit Decompressor(std::size_t max_window);

  struct Step {
    std::size_t consumed = 0;
    std::size_t produced = 0;
    bool frame_ended = false;  ///< all of it is out, and its check sum is right
    std::string_view problem;  ///< in zstd's words; empty when there is none
    bool window_too_large = false;
    bool needs_dictionary = false;
  };
  /// Decodes some of `in` into `out`.
  Step step(std::span<const std::byte> in, std::span<std::byte> out);

 private:
  struct Free {
    void operator()(ZSTD_DCtx_s* context) const noexcept;
  };
  std::unique_ptr<ZSTD_DCtx_s, Free> m_context;
};

}  // namespace airgap::zstd
