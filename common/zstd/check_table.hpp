#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/io/file.hpp"
#include "common/zstd/frame.hpp"

// A skippable frame of ours before the seek table: a CRC-32 of each frame as it lies in the file. It finds
// what the frames' own check sums do not, for it changes nothing that comes out (SPEC.md, "Compressed
// archive").
namespace airgap::zstd {

/// Its bytes for so many frames.
std::uint64_t check_table_size(std::uint64_t frames);
/// The bytes of the table. Every frame has a check.
std::string check_table(const std::vector<Frame>& frames);
/// Gives the frames the checks of the table at this byte of the file. Throws IntegrityError for one that is
/// damaged.
void read_check_table(const io::File& file, std::uint64_t offset, std::vector<Frame>& frames);

}  // namespace airgap::zstd
