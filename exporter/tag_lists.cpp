#include "exporter/tag_lists.hpp"

namespace airgap::exporter {

const std::vector<std::string>& TagLists::of(const registry::Repository& repository) {
  static const std::vector<std::string> none;
  const auto& tags = list(repository, registry::TagsFrom::any_mirror);
  return tags ? *tags : none;
}

const std::optional<std::vector<std::string>>& TagLists::find(const registry::Repository& repository) {
  return list(repository, registry::TagsFrom::location);
}

const std::optional<std::vector<std::string>>& TagLists::list(const registry::Repository& repository,
                                                              registry::TagsFrom from) {
  Slot* slot = nullptr;
  {
    const std::scoped_lock lock(m_mutex);
    std::unique_ptr<Slot>& place = m_slots[repository];
    if (!place) place = std::make_unique<Slot>();
    slot = place.get();
  }
  std::call_once(slot->once, [&] { slot->tags = m_client.list_tags(repository, from); });
  return slot->tags;
}

}  // namespace airgap::exporter
