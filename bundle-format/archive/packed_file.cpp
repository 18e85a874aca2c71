#include "bundle-format/archive/packed_file.hpp"

#include <array>

#include "bundle-format/unpacked_source.hpp"
#include "common/tar/tar_layout.hpp"
#include "common/zstd/frame.hpp"
#include "common/zstd/seek_table.hpp"

namespace airgap::bundle {
namespace {

constexpr std::uint32_t k_first_frame = 2 * tar::k_block;  ///< oci-layout, which all archives begin with

}  // namespace

bool is_packed(const io::File& file) {
  std::array<std::byte, zstd::k_max_frame_header> bytes{};
  const auto front = std::span(bytes).first(file.read_at(0, bytes));
  if (io::text_of(front).starts_with(k_gzip_magic)) return true;
  if (front.size() < bytes.size()) return false;  // too short to tell
  return io::text_of(front).starts_with(k_zstd_magic) && !zstd::ends_with_seek_table(file) &&
         zstd::content_of_header(front) != k_first_frame;
}

}  // namespace airgap::bundle
