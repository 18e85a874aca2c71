#include "common/image/image_config.hpp"

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
  const json::Node root = document.root();
  Platform platform;
  platform.os = root.optional_string("os").value_or("");
  platform.architecture = root.optional_string("architecture").value_or("");
  platform.variant = root.optional_string("variant").value_or("");
  platform.os_version = root.optional_string("os.version").value_or("");
  if (const auto features = root.find("os.features")) platform.os_features = features->string_list();
  return platform;
}

}  // namespace airgap::image
