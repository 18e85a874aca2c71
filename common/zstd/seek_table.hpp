#pragma once

#include <string>
#include <vector>

#include "common/io/file.hpp"
#include "common/zstd/frame.hpp"

// The seek table of zstd's seekable format: a skippable frame at the end of the file that lists the frames
// before it. Without check sums: the frames have their own.
namespace airgap::zstd {

/// Frames in one file: 8 TiB of content, and 64 MiB of memory for a table that lies about them.
inline constexpr std::size_t k_max_frames = std::size_t{4} << 20;

/// Its bytes for so many frames.
std::uint64_t seek_table_size(std::uint64_t frames);
/// The bytes of the table. At most k_max_frames.
std::string seek_table(const std::vector<Frame>& frames);

/// The frames that the table at the end of `file` lists, with their checks where it has a check table. They
/// are of lengths that are possible and fill the file up to the tables. Throws IntegrityError otherwise.
std::vector<Frame> read_seek_table(const io::File& file);

/// True when the file ends as a seek table does.
bool ends_with_seek_table(const io::File& file);

/// True when the file begins as a frame does, or ends as a seek table does: one of both may be damaged.
bool looks_framed(const io::File& file);

}  // namespace airgap::zstd
