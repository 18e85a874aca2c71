#include "exporter/tag_filter.hpp"

#include <fmt/format.h>

#include "common/text/escape.hpp"

namespace airgap::exporter {

bool TagFilter::takes(const std::string& tag) const {
  if (const auto* pattern = std::get_if<text::Pattern>(&m_rule)) return pattern->found_in(tag);
  if (const auto* constraint = std::get_if<image::SemverConstraint>(&m_rule)) {
    const auto version = image::SemanticVersion::parse(tag);
    return version && constraint->allows(*version);
  }
  return true;
}

std::string TagFilter::str() const {
  if (const auto* pattern = std::get_if<text::Pattern>(&m_rule)) {
    return fmt::format("matches '{}'", text::escape(pattern->str()));
  }
  if (const auto* constraint = std::get_if<image::SemverConstraint>(&m_rule)) {
    return fmt::format("is a version '{}'", text::escape(constraint->str()));
  }
  return "exists";
}

}  // namespace airgap::exporter
