#include "common/image/companions.hpp"

#include <map>
#include <set>

#include "common/diag/error.hpp"

namespace airgap::image {

std::optional<hash::Digest> subject_of_tag(std::string_view tag) {
  std::string digest(tag.substr(0, tag.find('.')));
  const std::size_t dash = digest.find('-');
  if (dash == digest.npos) return std::nullopt;
  digest[dash] = ':';
  try {
    return hash::Digest::parse(digest);
  } catch (const diag::FormatError&) {
    return std::nullopt;
  }
}

void follow_subjects(std::span<Traveller> travellers) {
  std::map<hash::Digest, std::set<std::string>> places;  // by what is held there
  const auto hold = [&](const Traveller& traveller) {
    for (const hash::Digest& digest : traveller.holds) places[digest].insert(traveller.place);
  };
  std::vector<Traveller*> followers;
  for (Traveller& traveller : travellers) {
    if (traveller.subject)
      followers.push_back(&traveller);
    else
      hold(traveller);
  }
  for (std::size_t before = followers.size() + 1; followers.size() < before;) {  // for each level
    before = followers.size();
    std::vector<Traveller*> ready;
    std::erase_if(followers, [&](Traveller* follower) {
      const bool is_ready = places.contains(*follower->subject);
      if (is_ready) ready.push_back(follower);
      return is_ready;
    });
    for (Traveller* follower : ready) {
      const std::set<std::string>& at = places.at(*follower->subject);
      if (!at.contains(follower->place)) follower->place = *at.begin();
    }
    for (const Traveller* follower : ready) hold(*follower);
  }
}

Reference beside(Reference target, const Reference& subject_target) {
  target.registry = subject_target.registry;
  target.repository = subject_target.repository;
  return target;
}

}  // namespace airgap::image
