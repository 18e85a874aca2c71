#include "common/image/member_names.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "common/text/escape.hpp"

namespace airgap::image {

void refuse_misspelt(const json::Node& object, std::initializer_list<std::string_view> names) {
  for (const auto& [name, value] : object.members()) {
    if (std::find(names.begin(), names.end(), name) != names.end()) continue;
    const std::string folded = json::fold_name(name);
    for (const std::string_view known : names) {
      if (folded != json::fold_name(known)) continue;
      object.fail(fmt::format("the member \"{}\" is ambiguous: some readers take it for \"{}\"",
                              text::escape(name, 60), known));
    }
  }
}

}  // namespace airgap::image
