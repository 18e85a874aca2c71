#include "common/zstd/check_table.hpp"

#include <fmt/format.h>

#include <string_view>

#include "common/diag/error.hpp"
#include "common/zstd/little_endian.hpp"

namespace airgap::zstd {
namespace {

constexpr std::uint32_t k_skippable_magic = 0x184D2A5D;
constexpr std::string_view k_name = "frame-crc32\n";
constexpr std::size_t k_entry = 4;

std::string front(std::uint64_t frames) {
  std::string bytes;
  append_le(bytes, k_skippable_magic, 4);
  append_le(bytes, static_cast<std::uint32_t>(k_name.size() + k_entry * frames), 4);
  return bytes += k_name;
}

}  // namespace

std::uint64_t check_table_size(std::uint64_t frames) {
  return 8 + k_name.size() + k_entry * frames;
}

std::string check_table(const std::vector<Frame>& frames) {
  std::string table = front(frames.size());
  for (const Frame& frame : frames) append_le(table, frame.check.value(), k_entry);
  return table;
}

void read_check_table(const io::File& file, std::uint64_t offset, std::vector<Frame>& frames) {
  const std::string expected = front(frames.size());
  std::vector<std::byte> bytes(static_cast<std::size_t>(check_table_size(frames.size())));
  const std::size_t got = file.read_at(offset, bytes);
  if (got != bytes.size() || !io::text_of(bytes).starts_with(expected))
    throw diag::IntegrityError(
        fmt::format("the table of the frames' check sums at byte {} of {} is damaged", offset, file.path()),
        "copy the file again");
  for (std::size_t i = 0; i < frames.size(); ++i)
    frames[i].check = read_le(std::span(bytes).subspan(expected.size() + i * k_entry), k_entry);
}

}  // namespace airgap::zstd
