#pragma once

#include "common/diag/error.hpp"

namespace airgap::json {

/// Bytes that are no JSON at all, so that damage is likelier than ill will.
class SyntaxError : public diag::FormatError {
 public:
  using FormatError::FormatError;
};

}  // namespace airgap::json
