#include "common/cli/naming.hpp"

#include "common/diag/error.hpp"

namespace airgap::cli {

image::RegistryTarget parse_target(const std::string& text) {
  try {
    return image::RegistryTarget::parse(text);
  } catch (const diag::FormatError& error) {
    throw diag::UsageError(error.message(), error.hint());
  }
}

image::Mapping parse_naming(bool scoped, bool flat, const std::vector<std::string>& maps) {
  if (scoped && flat) {
    throw diag::UsageError("--scoped and --flat exclude each other",
                           "give one of them, or --map for single images");
  }
  image::Mapping mapping;
  mapping.mode = scoped ? image::NameMode::scoped : flat ? image::NameMode::flat : image::NameMode::path;
  for (const std::string& rule : maps) {
    try {
      mapping.add_rule(rule);
    } catch (const diag::FormatError& error) {
      throw diag::UsageError("--map " + error.message(), error.hint());
    }
  }
  return mapping;
}

}  // namespace airgap::cli
