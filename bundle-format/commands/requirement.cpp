#include "bundle-format/commands/requirement.hpp"

#include <fmt/format.h>

#include "common/text/human_size.hpp"

namespace airgap::bundle {

std::string requirement(const BundleInfo& info) {
  return fmt::format("a delta: it requires {}, {}, that the registry has to have already",
                     text::counted(info.requires_.size(), "blob"), text::human_size(info.required_bytes()));
}

}  // namespace airgap::bundle
