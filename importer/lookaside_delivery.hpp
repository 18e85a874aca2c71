#pragma once

#include <string>
#include <vector>

#include "bundle-format/bundle_reader.hpp"
#include "common/delivery/failures.hpp"
#include "common/delivery/placement.hpp"
#include "importer/import_run.hpp"

namespace airgap::importer {

/// The signatures of one image and the directory that registries.d names for its target.
struct SignatureStep {
  std::size_t image = 0;  ///< placement
  image::Reference target;
  const bundle::Image* source = nullptr;  ///< in the reader's info()
  std::string directory;
};

/// Finds the place of all signatures that lie with the images of skopeo's directories: no registry stores
/// them. Throws UsageError where there is none, before anything is sent: an image would arrive without what
/// its users trust it by. With remove_signatures they stay behind, and a warning says so.
std::vector<SignatureStep> place_signatures(const bundle::BundleReader& reader,
                                            const std::vector<delivery::Placement>& placements,
                                            const ImportSettings& settings);

/// To be called before the images are pushed, so that none is there without its signatures.
void write_signatures(const std::vector<SignatureStep>& steps, const bundle::BundleReader& reader,
                      delivery::Failures& failures);

}  // namespace airgap::importer
