#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace airgap::tar {

inline constexpr std::uint64_t k_block = 512;  ///< bytes; POSIX ustar

/// One regular file of an archive, by name and size in bytes.
struct Member {
  std::string name;
  std::uint64_t size = 0;
};

/// Where a member lies: its header at `header`, its bytes at `data`, zeros up to a block after them. In bytes.
struct Place {
  std::uint64_t header = 0;
  std::uint64_t header_size = 0;  ///< 512, or more where a pax record carries a size of 8 GiB and over
  std::uint64_t data = 0;
  std::uint64_t size = 0;

  std::uint64_t end() const { return data + (size + k_block - 1) / k_block * k_block; }
};

/// Every offset of an archive before any of its bytes exist. Members stand in the order given, the first at `start`;
/// two zero blocks end the archive and nothing pads it further.
struct Layout {
  std::vector<Place> places;  ///< one a member
  std::uint64_t end = 0;      ///< the length of the whole archive
};
Layout lay_out(const std::vector<Member>& members);

/// The header blocks of a member: ustar, mode 0644, owner 0 (root), time `mtime` in seconds since 1970; a pax record
/// first where the size does not fit ustar. Same input, same bytes. Throws InternalError for a name over 100 bytes.
std::string header_bytes(const Member& member, std::uint64_t mtime);

}  // namespace airgap::tar
