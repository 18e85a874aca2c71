#include "common/image/platform_members.hpp"

namespace airgap::image {

Platform platform_members(const json::Node& object) {
  Platform platform;
  platform.os = object.optional_string("os").value_or("");
  platform.architecture = object.optional_string("architecture").value_or("");
  platform.variant = object.optional_string("variant").value_or("");
  platform.os_version = object.optional_string("os.version").value_or("");
  if (const auto features = object.find("os.features")) platform.os_features = features->string_list();
  return platform;
}

}  // namespace airgap::image
