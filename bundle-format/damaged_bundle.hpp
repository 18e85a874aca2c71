#pragma once

#include "common/diag/error.hpp"

namespace airgap::bundle {

/// A bundle of an earlier run is damaged, which blobs are copied out of. No image that is being fetched
/// meanwhile is to blame, nor is its registry: it ends the run.
class DamagedBundle : public diag::IntegrityError {
 public:
  using diag::IntegrityError::IntegrityError;
};

}  // namespace airgap::bundle
