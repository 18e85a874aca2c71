#include "exporter/resolve/tag_lists.hpp"

namespace airgap::exporter {

const registry::FoundTags& TagLists::of(const registry::Repository& repository) {
  return list(repository, registry::TagsFrom::any_mirror);
}

const std::optional<std::vector<std::string>>& TagLists::find(const registry::Repository& repository) {
  return list(repository, registry::TagsFrom::location).tags;
}

const registry::FoundTags& TagLists::list(const registry::Repository& repository, registry::TagsFrom from) {
  Slot* slot = nullptr;
  {
    const std::scoped_lock lock(m_mutex);
    std::unique_ptr<Slot>& place = m_slots[repository];
    if (!place) place = std::make_unique<Slot>();
    slot = place.get();
  }
  std::call_once(slot->once, [&] { slot->found = m_client.find_tags(repository, from); });
  return slot->found;
}

}  // namespace airgap::exporter
