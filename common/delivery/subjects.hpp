#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "common/delivery/placement.hpp"

namespace airgap::delivery {

/// The referrers of one subject that are to be found in its repository.
struct Subject {
  std::vector<image::Descriptor> referrers;  ///< as a list of referrers shows them
  std::vector<std::size_t> images;           ///< beside `referrers`: their placements
};

/// The subjects of all referrers among the placements, but for those whose list is a placement itself.
std::map<std::pair<registry::Repository, hash::Digest>, Subject> referred_subjects(
    const std::vector<Placement>& placements);

/// The tag under which a registry without the referrers API has the list of a subject's referrers: OCI
/// distribution-spec, "Referrers Tag Schema".
std::string referrers_tag(const hash::Digest& subject);

}  // namespace airgap::delivery
