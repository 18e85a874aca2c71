#include "exporter/select/section_rules.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <set>

#include "common/diag/error.hpp"
#include "common/image/mapping.hpp"
#include "common/text/escape.hpp"
#include "exporter/select/selected_names.hpp"

namespace airgap::exporter {
namespace {

using yaml::Node;

text::Pattern pattern_at(const Node& node) {
  std::string why;
  auto pattern = text::Pattern::compile(node.text(), why);
  if (node.text().empty()) node.fail("the regular expression is missing");
  if (!pattern) {
    node.fail(fmt::format("bad regular expression '{}': {}", text::escape(node.text()), why),
              "the syntax is RE2's");
  }
  return std::move(*pattern);
}

std::size_t count_at(const Node& node) {
  const std::string& text = node.text();
  std::size_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (node.quoted() || error != std::errc{} || end != text.data() + text.size() || count == 0) {
    node.fail(fmt::format("expected a number of versions, from 1 on, found '{}'", text::escape(text)));
  }
  return count;
}

/// One value, or a list of at least one.
std::vector<Node> values_at(const Node& key, const Node& value) {
  if (value.is_null() || (value.kind() == yaml::Kind::list && value.elements().empty())) {
    key.fail("there is nothing in its list");
  }
  return value.kind() == yaml::Kind::list ? value.elements() : std::vector<Node>{value};
}

image::PlatformFilter platforms_at(const Node& value) {
  std::string joined;
  for (const Node& node : values_at(value, value)) {
    yaml::parsed_at(node, [&] { return image::PlatformFilter::parse(node.text()); });
    joined += (joined.empty() ? "" : ",") + node.text();
  }
  return yaml::parsed_at(value, [&] { return image::PlatformFilter::parse(joined); });
}

std::string target_at(const image::Reference& name, const Node& value) {
  return yaml::parsed_at(value, [&] { return image::MapRule::exact(name, value.text()).to; });
}

}  // namespace

void SectionRules::read(const Node& section, PlatformRules& platforms, TargetRules& targets) {
  if (const Node* block = section.find("exclude")) read_exclude(*block);
  if (const Node* block = section.find("newest")) read_newest(*block);
  if (const Node* block = section.find("platforms")) {
    each_name(*block, [&](const image::Reference& name, const Node& value) {
      platforms.add(name, platforms_at(value), value.place());
    });
  }
  if (const Node* block = section.find("targets")) {
    each_name(*block, [&](const image::Reference& name, const Node& value) {
      targets.add(name, target_at(name, value), value.place());
    });
  }
}

void SectionRules::each_name(const Node& block, const OnName& on_name) const {
  const SelectedNames selected(m_images, m_repositories);
  std::set<image::Reference> seen;
  for (const auto& [key, value] : block.members()) {
    const image::Reference name =
        yaml::parsed_at(key, [&, &text = key.text()] { return image::Reference::in_registry(m_host, text); });
    if (name.digest) {
      key.fail("a digest has no rules of its own: it travels whole, under its repository's name",
               "name a repository, or an image by its tag");
    }
    if (!selected.has(name)) {
      key.fail(fmt::format("'{}' is not among what {} is asked for", text::escape(key.text()), m_host),
               selected.hint(name, &below_registry));
    }
    if (!seen.insert(name).second) {
      key.fail(fmt::format("'{}' stands here a second time", text::escape(key.text())));
    }
    if (value.is_null()) key.fail("its value is missing");
    on_name(name, value);
  }
}

// What narrows a list of tags says something of repositories whose tags are listed, and of no others.
void SectionRules::each_listed(const Node& block, std::string_view what, const OnName& on_name) const {
  each_name(block, [&](const image::Reference& name, const Node& value) {
    if (name.tag) value.fail(fmt::format("{} speaks of repositories, not of a single tag", what));
    if (std::none_of(m_repositories.begin(), m_repositories.end(),
                     [&](const WantedTags& wanted) { return wanted.repository == name; })) {
      value.fail(fmt::format("all tags of '{}' are named one by one, so {} has none to choose from",
                             below_registry(name), what),
                 "[] under images, images-by-tag-regex or images-by-semver list tags");
    }
    on_name(name, value);
  });
}

void SectionRules::read_exclude(const Node& block) {
  each_listed(block, "exclude", [&](const image::Reference& name, const Node& value) {
    for (const Node& expression : values_at(value, value)) {
      const text::Pattern pattern = pattern_at(expression);
      for (WantedTags& wanted : m_repositories) {
        if (wanted.repository == name) wanted.filter.exclude(pattern);
      }
    }
  });
}

void SectionRules::read_newest(const Node& block) {
  each_listed(block, "newest", [&](const image::Reference& name, const Node& value) {
    const std::size_t count = count_at(value);
    for (WantedTags& wanted : m_repositories) {
      if (wanted.repository == name) wanted.filter.keep_newest(count);
    }
  });
}

}  // namespace airgap::exporter
