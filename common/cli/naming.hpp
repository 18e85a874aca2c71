#pragma once

#include <string>
#include <vector>

#include "common/cli/app.hpp"
#include "common/image/mapping.hpp"

namespace airgap::cli {

/// REGISTRY[/PREFIX]. Throws UsageError.
image::RegistryTarget parse_target(const std::string& text);

/// How images are called inside.
struct NamingOptions {
  bool scoped = false;            ///< --scoped
  bool flat = false;              ///< --flat
  std::vector<std::string> maps;  ///< --map FROM=TO

  void declare(Command& command);
  bool any() const { return scoped || flat || !maps.empty(); }  ///< otherwise the default holds
  image::Mapping mapping() const;                               ///< throws UsageError
};

/// A --map that speaks of none of these images was meant for something. Throws UsageError, with what it may
/// have meant; says it alone when that is `allowed`.
void check_maps(const image::Mapping& mapping, const std::vector<image::Reference>& images, bool allowed);
/// What allows it.
inline constexpr const char* k_allow_unused_map = "--allow-unused-map";
inline constexpr const char* k_allow_unused_map_help = "a --map that no image is called by is no error";

}  // namespace airgap::cli
