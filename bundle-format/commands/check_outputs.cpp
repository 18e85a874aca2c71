#include "bundle-format/commands/check_outputs.hpp"

#include <utility>

namespace airgap::bundle {

void check_outputs(cli::Context& context, const std::vector<std::string>& bundles,
                   std::vector<FileBeside> others) {
  std::string report = std::exchange(context.report_file, {});
  others.insert(others.begin(), {"--report", report});
  refuse_overwriting(others, bundles);
  context.report_file = std::move(report);
}

}  // namespace airgap::bundle
