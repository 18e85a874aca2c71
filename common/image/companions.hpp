#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/hash/digest.hpp"
#include "common/image/reference.hpp"

// Where signatures, SBOMs and attestations go: they are of use beside what they are about, so that where a
// rule sends an image to another repository, what accompanies it goes along.
namespace airgap::image {

/// The manifest that a tag is about, as cosign and the OCI's fallback write it: "sha256-<hex>",
/// "sha256-<hex>.sig". Nothing for other tags.
std::optional<hash::Digest> subject_of_tag(std::string_view tag);

/// An image on its way, as far as it matters to where others go.
struct Traveller {
  std::vector<hash::Digest> holds;      ///< its manifests: what others may be about
  std::optional<hash::Digest> subject;  ///< what it is about
  std::string place;                    ///< the repository that it goes to, in any spelling
};

/// Gives every traveller with a subject the place of that, at any depth. Where its subject goes to several
/// places, one of which is its own, it stays there; else it goes to the first of them. What nobody here holds
/// changes no place.
void follow_subjects(std::span<Traveller> travellers);

/// The same for one that is known to accompany `subject`, where that goes to.
Reference beside(Reference target, const Reference& subject_target);

}  // namespace airgap::image
