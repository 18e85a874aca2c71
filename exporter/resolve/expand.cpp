#include "exporter/resolve/expand.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "common/diag/log.hpp"
#include "common/task/for_each.hpp"
#include "common/text/human_size.hpp"
#include "exporter/select/selected_names.hpp"

namespace airgap::exporter {
namespace {

std::string at(const WantedTags& wanted) {
  return wanted.place.empty() ? std::string{} : wanted.place + ": ";
}

[[noreturn]] void throw_unmatched(const WantedTags& wanted, const std::vector<std::string>& tags) {
  constexpr std::size_t k_shown = 5;
  std::string hint = "--allow-empty takes that for nothing to do";
  if (!tags.empty()) {
    hint += "; there are: ";
    for (std::size_t i = 0; i < std::min(k_shown, tags.size()); ++i) hint += (i == 0 ? "" : ", ") + tags[i];
    if (tags.size() > k_shown) hint += ", ...";
  }
  throw diag::UsageError(fmt::format("{}no tag of {} {} ({})", at(wanted), wanted.repository.str(),
                                     wanted.filter.str(), text::counted(tags.size(), "tag")),
                         hint);
}

std::vector<std::string> wanted_tags(const WantedTags& wanted, TagLists& lists, bool allow_empty) {
  const auto& listed = lists.find({wanted.repository.registry, wanted.repository.repository});
  if (!listed) {
    throw diag::NetworkError(
        fmt::format("{}{} does not exist in its registry", at(wanted), wanted.repository.str()),
        "check the name; a private repository may also answer so without credentials");
  }
  std::vector<std::string> tags;
  std::copy_if(listed->begin(), listed->end(), std::back_inserter(tags),
               [&](const std::string& tag) { return wanted.filter.takes(tag); });
  if (tags.empty() && !allow_empty) throw_unmatched(wanted, *listed);
  if (tags.empty()) {
    diag::log("select", diag::LogLevel::warning,
              fmt::format("{}no tag of {} {}", at(wanted), wanted.repository.str(), wanted.filter.str()));
  }
  std::stable_partition(tags.begin(), tags.end(),
                        [](const std::string& tag) { return !tag.starts_with("sha256-"); });
  return tags;
}

// Of all tags that a repository's entries took together, its newest.
void keep_newest(const std::vector<WantedTags>& repositories, std::vector<std::vector<std::string>>& found) {
  std::map<std::pair<image::Reference, std::size_t>, std::set<std::string>> kept;
  const auto key = [&](std::size_t i) {
    return std::pair(repositories[i].repository, *repositories[i].filter.newest());
  };
  for (std::size_t i = 0; i < repositories.size(); ++i) {
    if (repositories[i].filter.newest()) kept[key(i)].insert(found[i].begin(), found[i].end());
  }
  for (auto& [of, tags] : kept) {
    const auto highest = newest({tags.begin(), tags.end()}, of.second);
    tags = {highest.begin(), highest.end()};
  }
  for (std::size_t i = 0; i < repositories.size(); ++i) {
    if (!repositories[i].filter.newest()) continue;
    std::erase_if(found[i], [&, &tags = kept.at(key(i))](const auto& tag) { return !tags.contains(tag); });
  }
}

// Only now it is known which tags there are: a rule for another one was meant for something.
template <class Value>
void refuse_unused(const NameRules<Value>& rules, const SelectedNames& selected) {
  for (const auto& [name, rule] : rules.all()) {
    if (!name.tag || selected.has(name)) continue;
    throw diag::UsageError(
        fmt::format("{}: there is no {} among the tags that are taken", rule.place, name.str()),
        selected.hint(name, &image::Reference::familiar));
  }
}

}  // namespace

Expanded expand(Selection selection, TagLists& tags, const ExpandOptions& options) {
  const std::vector<WantedTags> repositories = std::move(selection.repositories);
  Expanded expanded{.selection = std::move(selection), .failed = {}};
  expanded.selection.repositories.clear();
  std::vector<std::vector<std::string>> found(repositories.size());
  std::vector<std::optional<diag::Error>> failures(repositories.size());
  task::for_each_index(repositories.size(), options.jobs, options.stop, [&](std::size_t i) {
    const WantedTags& wanted = repositories[i];
    try {
      found[i] = diag::with_context([&] { return "listing the tags of " + wanted.repository.str(); },
                                    [&] { return wanted_tags(wanted, tags, options.allow_empty); });
    } catch (const diag::Interrupted&) {
      throw;
    } catch (const diag::Error& error) {
      if (!options.keep_going) throw;
      failures[i] = error;
    }
  });

  keep_newest(repositories, found);
  std::set<image::Reference> seen;
  for (const Wanted& wanted : expanded.selection.images) seen.insert(wanted.name);
  for (std::size_t i = 0; i < repositories.size(); ++i) {
    if (failures[i]) expanded.failed.push_back({repositories[i].repository.str(), *failures[i]});
    for (const std::string& tag : found[i]) {
      image::Reference name = repositories[i].repository;
      name.tag = tag;
      if (seen.insert(name).second) expanded.selection.images.push_back({std::move(name)});
    }
  }
  if (expanded.selection.images.empty() && expanded.failed.empty() && !options.none_is_fine) {
    throw diag::UsageError("no tag of any repository is wanted", "a bundle holds one image at least");
  }
  if (!options.allow_empty && expanded.failed.empty()) {
    const SelectedNames selected(expanded.selection.images, {});
    refuse_unused(expanded.selection.platforms.asked, selected);
    refuse_unused(expanded.selection.platforms.listed, selected);
    refuse_unused(expanded.selection.targets, selected);
  }
  return expanded;
}

}  // namespace airgap::exporter
