#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "common/zstd/frame.hpp"
#include "tests/unit/bundle-format/writer_fixture.hpp"

namespace airgap::bundle::testing {

constexpr std::uint64_t k_frame = zstd::k_max_content;

std::string text_layer(std::size_t lines, int seed);
/// With an empty layer, one of several frames, and one that is compressed already.
Sample three_images();
/// Puts the first `count` blobs that are missing, and stops.
void write_some(const std::string& path, const Sample& wanted, std::size_t count);
/// Puts what is missing, in order, until the line breaks in `cut` after so many bytes of it.
void break_off(const std::string& path, const Sample& wanted, const std::string& cut, std::size_t came,
               bool overwrite = false);
/// Layers of several frames, in the order in which an archive has them.
std::vector<std::string> layers_in_order(std::size_t count);
std::vector<std::string> names_in(const TempDirectory& temp);
std::string whole_of(const Sample& wanted);

}  // namespace airgap::bundle::testing
