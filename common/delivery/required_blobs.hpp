#pragma once

#include <map>
#include <optional>
#include <vector>

#include "common/delivery/placement.hpp"
#include "common/delivery/survey.hpp"

namespace airgap::delivery {

/// Blobs that the sender does not have, so that the registry must.
struct RequiredBlobs {
  std::map<hash::Digest, std::optional<registry::Repository>> blobs{};  ///< and where one was seen
  std::vector<image::Reference> base{};  ///< images that the registry may have: they are hints

  bool contains(const hash::Digest& digest) const { return blobs.contains(digest); }
};

/// Looks for the required blobs that the survey has not found: where they were seen, then in the other
/// repositories of the placements in which it found something; then in those where an image of the base is.
/// By HEAD alone; what is found goes into `content`.
void look_elsewhere(const std::vector<Placement>& placements, const RequiredBlobs& required,
                    registry::RegistryClient& client, const SurveyOptions& options, RegistryContent& content);

}  // namespace airgap::delivery
