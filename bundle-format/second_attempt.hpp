#pragma once

#include <optional>

#include "common/hash/verification.hpp"

namespace airgap::bundle {

/// A blob whose bytes are not those of its digest is tried once more, from zero: a proxy on the way may be
/// stale (R4). `take_back` undoes what an attempt wrote and returns whether it could. Where it could not, and
/// when the second attempt ends alike, the DigestMismatch goes on. `second` is given that of the first.
template <class First, class TakeBack, class Second>
void with_second_attempt(const First& first, const TakeBack& take_back, const Second& second) {
  std::optional<hash::DigestMismatch> rejected;
  try {
    return first();
  } catch (const hash::DigestMismatch& mismatch) {
    if (!take_back()) throw;
    rejected = mismatch;
  }
  try {
    second(*rejected);
  } catch (hash::DigestMismatch& mismatch) {
    take_back();
    mismatch.set_hint("the source, or a proxy before it, serves other bytes under this digest");
    throw;
  }
}

}  // namespace airgap::bundle
