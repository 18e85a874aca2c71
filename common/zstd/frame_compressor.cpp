#include "common/zstd/frame_compressor.hpp"

#include <fmt/format.h>
#include <zstd.h>

#include <bit>
#include <new>

#include "common/diag/error.hpp"
#include "common/io/stream.hpp"
#include "common/zstd/frame.hpp"

namespace airgap::zstd {
namespace {

constexpr int k_window_log = std::bit_width(k_max_content) - 1;  // content is never longer: one segment

std::size_t checked(std::size_t result) {
  if (ZSTD_isError(result) != 0)
    throw diag::InternalError(fmt::format("zstd cannot compress: {}", ZSTD_getErrorName(result)));
  return result;
}

}  // namespace

void FrameCompressor::Free::operator()(ZSTD_CCtx_s* context) const noexcept {
  ZSTD_freeCCtx(context);
}

FrameCompressor::FrameCompressor() : m_context(ZSTD_createCCtx()) {
  if (!m_context) throw std::bad_alloc();
  checked(ZSTD_CCtx_setParameter(m_context.get(), ZSTD_c_checksumFlag, 1));
  checked(ZSTD_CCtx_setParameter(m_context.get(), ZSTD_c_windowLog, k_window_log));
}

std::span<const std::byte> FrameCompressor::compress(std::span<const std::byte> content, Effort effort) {
  if (content.empty() || content.size() > k_max_content)
    throw diag::InternalError(fmt::format("no frame holds {} bytes", content.size()));
  // The fastest level looks at one place in a block for a match, and codes no literals: it copies.
  const int level = effort == Effort::normal ? ZSTD_CLEVEL_DEFAULT : ZSTD_minCLevel();
  checked(ZSTD_CCtx_setParameter(m_context.get(), ZSTD_c_compressionLevel, level));
  if (m_out.size() < ZSTD_compressBound(content.size())) m_out.resize(ZSTD_compressBound(content.size()));
  const std::size_t size =
      checked(ZSTD_compress2(m_context.get(), m_out.data(), m_out.size(), content.data(), content.size()));
  const auto frame = std::span(m_out).first(size);
  if (!io::text_of(frame).starts_with(frame_header(static_cast<std::uint32_t>(content.size()))))
    throw diag::InternalError("zstd made a frame of another form than asked for");
  return frame;
}

}  // namespace airgap::zstd
