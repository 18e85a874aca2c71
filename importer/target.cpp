#include "importer/target.hpp"

#include "common/diag/error.hpp"

namespace airgap::importer {

image::RegistryTarget parse_target(const std::string& text) {
  try {
    return image::RegistryTarget::parse(text);
  } catch (const diag::FormatError& error) {
    throw diag::UsageError(error.message(), error.hint());
  }
}

}  // namespace airgap::importer
