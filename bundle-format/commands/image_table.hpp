#pragma once

#include <cstddef>
#include <limits>
#include <string>
#include <vector>

#include "bundle-format/metadata/bundle_json.hpp"
#include "common/json/writer.hpp"

namespace airgap::bundle {

// How images are shown, in a bundle or planned for one.

enum class Targets { hidden, shown };  ///< whether the table says what images are called inside

/// A line with the heads, and one for each of the first `most`: name, digest, bytes, unique and shared ones,
/// platforms, target.
std::vector<std::string> image_table(const std::vector<Image>& images, Targets targets,
                                     std::size_t most = std::numeric_limits<std::size_t>::max());
/// One of them as a JSON object.
void write_image(json::Writer& writer, const Image& image);

}  // namespace airgap::bundle
