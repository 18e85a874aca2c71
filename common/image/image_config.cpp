#include "common/image/image_config.hpp"

#include "common/image/platform_members.hpp"
#include "common/json/reader.hpp"

namespace airgap::image {

Platform parse_config_platform(std::string_view bytes) {
  json::ParseLimits limits;
  limits.bytes = k_max_config;
  // What build tools put into these is theirs; we read the top level alone.
  for (const std::string_view name : {"config", "container_config", "Volumes", "ExposedPorts"}) {
    limits.free_form.push_back(name);
  }
  const json::Document document = json::Document::parse(bytes, limits);
  return platform_members(document.root());
}

}  // namespace airgap::image
