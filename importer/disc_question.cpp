#include "importer/disc_question.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "common/text/listed.hpp"

namespace airgap::importer {
namespace {

/// "volume 2 is here", "volumes 1-3, 5 are here"
std::string here(const std::vector<std::size_t>& numbers) {
  const bool one = numbers.size() == 1;
  return fmt::format("volume{} {} {} here", one ? "" : "s", text::ranges(numbers), one ? "is" : "are");
}

}  // namespace

std::string question(const WantedVolume& wanted, const bundle::VolumesAtHand& volumes) {
  std::vector<std::size_t> others;
  std::ranges::set_difference(volumes.numbers(), wanted.waiting, std::back_inserter(others));
  std::vector<std::string> found;
  if (!others.empty()) found.push_back(here(others));
  if (!wanted.waiting.empty())
    found.push_back(fmt::format("{}, and {} turn comes later", here(wanted.waiting),
                                wanted.waiting.size() == 1 ? "its" : "their"));
  found.insert(found.end(), volumes.unusable().begin(), volumes.unusable().end());
  if (found.empty()) found.emplace_back("it is in none of the places that were named");
  const std::string later =
      wanted.later.empty() ? "" : fmt::format(" (later {} as well)", text::ranges(wanted.later));
  return fmt::format("volume {} of {} is wanted{}; {}", wanted.number, volumes.count(), later,
                     fmt::join(found, "; "));
}

}  // namespace airgap::importer
