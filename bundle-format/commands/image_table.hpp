#pragma once

#include <vector>

#include "bundle-format/metadata/bundle_json.hpp"
#include "common/cli/console.hpp"
#include "common/json/writer.hpp"

namespace airgap::bundle {

// How images are shown, in a bundle or planned for one.

enum class Targets { hidden, shown };  ///< whether the table says what images are called inside

/// A line for each: name, digest, bytes, unique and shared ones, platforms, target.
void print_images(const std::vector<Image>& images, cli::Console& console, Targets targets);
/// One of them as a JSON object.
void write_image(json::Writer& writer, const Image& image);

}  // namespace airgap::bundle
