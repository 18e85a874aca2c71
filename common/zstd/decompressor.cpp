#include "common/zstd/decompressor.hpp"

#include <zstd.h>
#include <zstd_errors.h>

#include <bit>
#include <new>

#include "common/diag/error.hpp"

namespace airgap::zstd {

void Decompressor::Free::operator()(ZSTD_DCtx_s* context) const noexcept {
  ZSTD_freeDCtx(context);
}

Decompressor::Decompressor(std::size_t max_window) : m_context(ZSTD_createDCtx()) {
  if (!m_context) throw std::bad_alloc();
  const int log = static_cast<int>(std::bit_width(max_window)) - 1;
  if (ZSTD_isError(ZSTD_DCtx_setParameter(m_context.get(), ZSTD_d_windowLogMax, log)) != 0)
    throw diag::InternalError("zstd takes no such window");
}

Decompressor::Step Decompressor::step(std::span<const std::byte> in, std::span<std::byte> out) {
  ZSTD_inBuffer from{in.data(), in.size(), 0};
  ZSTD_outBuffer to{out.data(), out.size(), 0};
  const std::size_t result = ZSTD_decompressStream(m_context.get(), &to, &from);
  Step step{.consumed = from.pos, .produced = to.pos, .frame_ended = result == 0, .problem = {}};
  if (ZSTD_isError(result) != 0) {
    step.frame_ended = false;
    step.problem = ZSTD_getErrorName(result);
    step.window_too_large = ZSTD_getErrorCode(result) == ZSTD_error_frameParameter_windowTooLarge;
    step.needs_dictionary = ZSTD_getErrorCode(result) == ZSTD_error_dictionary_wrong;
  }
  return step;
}

}  // namespace airgap::zstd
