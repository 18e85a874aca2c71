#pragma once

#include <fmt/format.h>

#include "common/diag/log.hpp"
#include "common/hash/verification.hpp"

namespace airgap::bundle {

/// A blob whose bytes are not those of its digest is tried once more, from zero: a proxy on the way may be
/// stale (R4). `take_back` undoes what an attempt wrote and returns whether it could. Where it could not, and
/// when the second attempt ends alike, the DigestMismatch goes on.
template <class First, class TakeBack, class Second>
void with_second_attempt(const First& first, const TakeBack& take_back, const Second& second) {
  try {
    return first();
  } catch (const hash::DigestMismatch& mismatch) {
    if (!take_back()) throw;
    diag::log("bundle", diag::LogLevel::warning,
              fmt::format("{}; trying once more from zero", mismatch.message()));
  }
  try {
    second();
  } catch (hash::DigestMismatch& mismatch) {
    take_back();
    mismatch.set_hint("the source, or a proxy before it, serves other bytes under this digest");
    throw;
  }
}

}  // namespace airgap::bundle
