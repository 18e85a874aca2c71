#pragma once

#include "common/diag/error.hpp"

namespace airgap::io {

/// Bytes ended where more of them had to come.
class EndsEarly : public diag::IntegrityError {
 public:
  using KindError::KindError;
};

}  // namespace airgap::io
