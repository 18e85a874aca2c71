#pragma once

#include <string>

#include "common/cli/registry_access.hpp"
#include "common/image/mapping.hpp"

namespace airgap::importer {

struct ReceiptSettings {
  std::string target;     ///< REGISTRY[/PREFIX]
  std::string list;       ///< --from: source names, or names inside; "-" is standard input
  std::string output;     ///< a file; empty for standard output
  image::Mapping naming;  ///< source names -> names inside
  cli::RegistryAccessOptions access;
  bool keep_going = false;
};

/// Looks what a registry holds that was filled in some other way, and writes the receipt. Reads manifests,
/// asks for blobs by HEAD, changes nothing. Returns the exit status; what it throws is reported first.
int run_receipt(const ReceiptSettings& settings, cli::Context& context);

}  // namespace airgap::importer
