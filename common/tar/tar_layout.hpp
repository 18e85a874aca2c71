#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace airgap::tar {

inline constexpr std::uint64_t k_block = 512;  ///< bytes; POSIX ustar
/// What ustar's fields hold; above it a pax record says it.
inline constexpr std::uint64_t k_max_ustar_size = 077'777'777'777;  ///< bytes; 8 GiB less one
inline constexpr std::size_t k_max_ustar_name = 100;                ///< bytes
inline constexpr std::uint64_t k_max_mtime = 077'777'777'777;       ///< seconds since 1970: the year 2242

/// `size` and the zeros that follow it up to a block, in bytes.
constexpr std::uint64_t padded(std::uint64_t size) {
  return (size + k_block - 1) / k_block * k_block;
}

/// One regular file of an archive, by name and size in bytes.
struct Member {
  std::string name;
  std::uint64_t size = 0;

  friend bool operator==(const Member&, const Member&) = default;
};

/// Where a member lies: its header at `header`, its bytes at `data`, zeros up to a block after them. In
/// bytes.
struct Place {
  std::uint64_t header = 0;
  std::uint64_t header_size = 0;  ///< 512, or more where a pax record carries a size of 8 GiB or a long name
  std::uint64_t data = 0;
  std::uint64_t size = 0;

  std::uint64_t end() const { return data + padded(size); }
  friend bool operator==(const Place&, const Place&) = default;
};

/// Every offset of an archive before any of its bytes exist. Members stand in the order given, the first at
/// 0; two zero blocks end the archive and nothing pads it further.
struct Layout {
  std::vector<Place> places;  ///< one a member
  std::uint64_t end = 0;      ///< the length of the whole archive
};
/// Throws InternalError when the offsets do not fit 63 bits; who parses sizes bounds them.
Layout lay_out(const std::vector<Member>& members);

/// The header blocks of a member: ustar, mode 0644, owner 0 (root), time `mtime` in seconds since 1970; a pax
/// record first where name or size do not fit ustar. Same input, same bytes. Throws InternalError for a time
/// over k_max_mtime and for a name that is empty or has a NUL.
std::string header_bytes(const Member& member, std::uint64_t mtime);

/// What a header of one block says.
struct Header {
  Member member;
  std::uint64_t mtime = 0;  ///< seconds since 1970
};
/// Reads a header of one block; nothing unless it is, bit for bit, what header_bytes() gives for the same
/// member and time. For the first members of our own archives, whose order and size limits the caller knows.
std::optional<Header> parse_header(std::string_view block);

/// Whether a block is a header that is as it was written, by whatever program of those that state the check
/// sum as header_bytes() does: it is right. No single wrong bit makes it so.
bool has_right_sum(std::string_view block);

/// The two zero blocks at the end, in bytes.
inline constexpr std::uint64_t k_end_size = 2 * k_block;

}  // namespace airgap::tar
