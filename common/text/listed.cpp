#include "common/text/listed.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <span>

namespace airgap::text {
namespace {

constexpr std::size_t k_shown = 20;

}  // namespace

std::string listed(const std::vector<std::string>& names) {
  const auto shown = std::span(names).first(std::min(k_shown, names.size()));
  const std::size_t more = names.size() - shown.size();
  return fmt::format("{}{}", fmt::join(shown, ", "), more == 0 ? "" : fmt::format(" and {} more", more));
}

}  // namespace airgap::text
