#pragma once

#include <optional>
#include <string>
#include <vector>

#include "bundle-format/bundle_reader.hpp"
#include "bundle-format/inspection.hpp"

namespace airgap::bundle {

/// What damage of single blobs costs.
struct LeftOut {
  std::vector<BrokenImage> images;    ///< by name
  std::optional<diag::Error> others;  ///< damage that touches no image
};

/// Reads all manifests that are there, and adds to `bundle.findings` which of them are damaged. True when one
/// is.
bool find_damaged_manifests(Inspection& bundle);

/// Takes the images out of `bundle.info` that damage touches, manifests included. Throws as refuse_damaged()
/// does where something is wrong with more than single blobs, or does not belong there.
LeftOut leave_out_damaged(Inspection& bundle, const std::string& path);

/// Throws what is wrong with a bundle that has findings, as the Error of the gravest of them; where that is
/// damage it says which images it touches.
[[noreturn]] void refuse_damaged(Inspection& bundle, const std::string& path);

}  // namespace airgap::bundle
