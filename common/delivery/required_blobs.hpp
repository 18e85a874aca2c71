#pragma once

#include <map>
#include <optional>
#include <vector>

#include "common/delivery/placement.hpp"
#include "common/delivery/survey.hpp"

namespace airgap::delivery {

/// Blobs that the sender does not have, so that the registry must, and where one was seen.
using RequiredBlobs = std::map<hash::Digest, std::optional<registry::Repository>>;

/// Looks for the required blobs that the survey has not found: where they were seen, then in the other
/// repositories of the placements in which it found something. By HEAD alone; what is found goes into
/// `content`.
void look_elsewhere(const std::vector<Placement>& placements, const RequiredBlobs& required,
                    registry::RegistryClient& client, const SurveyOptions& options, RegistryContent& content);

}  // namespace airgap::delivery
