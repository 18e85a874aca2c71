#include "exporter/select/selected_names.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "common/text/nearest.hpp"

namespace airgap::exporter {

std::string below_registry(const image::Reference& name) {
  constexpr std::string_view k_official = "library/";
  std::string path = name.repository;
  if (name.registry == "docker.io" && path.starts_with(k_official)) path.erase(0, k_official.size());
  return name.tag ? path + ":" + *name.tag : path;
}

SelectedNames::SelectedNames(std::span<const Wanted> images, std::span<const WantedTags> repositories) {
  for (const Wanted& wanted : images) {
    image::Reference name = wanted.name;
    name.digest.reset();
    m_names.insert(name);
    name.tag.reset();
    m_names.insert(std::move(name));
  }
  for (const WantedTags& wanted : repositories) {
    m_names.insert(wanted.repository);
    m_listed.emplace(wanted.repository, &wanted.filter);
  }
}

bool SelectedNames::has(const image::Reference& name) const {
  if (m_names.contains(name)) return true;
  if (!name.tag) return false;
  image::Reference repository = name;
  repository.tag.reset();
  const auto [begin, end] = m_listed.equal_range(repository);
  return std::any_of(begin, end, [&](const auto& listed) { return listed.second->takes(*name.tag); });
}

std::string SelectedNames::hint(const image::Reference& name,
                                const std::function<std::string(const image::Reference&)>& show) const {
  constexpr std::size_t k_shown = 5;
  std::vector<std::string> known;  // of the same registry, as far as there are any
  std::vector<const image::Reference*> names;
  for (const image::Reference& candidate : m_names) {
    if (candidate.registry != name.registry) continue;
    known.push_back(below_registry(candidate));
    names.push_back(&candidate);
  }
  if (const auto meant = text::nearest(below_registry(name), known)) {
    const auto place = std::find(known.begin(), known.end(), *meant) - known.begin();
    return fmt::format("did you mean '{}'?", show(*names[static_cast<std::size_t>(place)]));
  }
  std::string hint = "there are: ";
  std::size_t shown = 0;
  for (const image::Reference& candidate : m_names) {
    if (shown == k_shown) return hint + ", ...";
    hint += (shown++ == 0 ? "" : ", ") + show(candidate);
  }
  return hint;
}

}  // namespace airgap::exporter
