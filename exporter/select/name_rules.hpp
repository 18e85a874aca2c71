#pragma once

#include <map>
#include <string>
#include <utility>

#include "common/image/reference.hpp"

namespace airgap::exporter {

/// What is said of single names: of an image (a name with a tag), or of a repository and so of all its
/// images.
template <class Value>
class NameRules {
 public:
  struct Rule {
    Value value;
    std::string place;  ///< where it was said, for messages: "images.yaml:3:5", "--platform"
  };

  /// The rule for `name` in force afterwards: an earlier one stays.
  const Rule& add(const image::Reference& name, Value value, std::string place) {
    return m_rules.try_emplace(name, Rule{std::move(value), std::move(place)}).first->second;
  }

  /// What is said of the image, else of its repository; null when nothing is. A digest does not matter.
  const Value* find(const image::Reference& image) const {
    if (m_rules.empty()) return nullptr;
    image::Reference name = image;
    name.digest.reset();
    auto found = m_rules.find(name);
    if (found == m_rules.end() && name.tag) {
      name.tag.reset();
      found = m_rules.find(name);
    }
    return found == m_rules.end() ? nullptr : &found->second.value;
  }

  const std::map<image::Reference, Rule>& all() const noexcept { return m_rules; }

 private:
  std::map<image::Reference, Rule> m_rules;
};

}  // namespace airgap::exporter
