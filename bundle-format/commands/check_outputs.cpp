#include "bundle-format/commands/check_outputs.hpp"

#include <utility>

namespace airgap::bundle {

namespace {

void check(cli::Context& context, const std::vector<std::string>& bundles, const std::string& output,
           std::vector<FileBeside> others) {
  std::string report = std::exchange(context.report_file, {});
  others.insert(others.begin(), {"--report", report});
  refuse_overwriting(others, bundles, output);
  context.report_file = std::move(report);
}

}  // namespace

void check_outputs(cli::Context& context, const std::vector<std::string>& bundles,
                   std::vector<FileBeside> others) {
  check(context, bundles, {}, std::move(others));
}

void check_export_outputs(cli::Context& context, const std::string& output,
                          const std::vector<std::string>& since, std::vector<FileBeside> others) {
  std::vector<std::string> bundles = since;
  const bool medium = !output.empty() && output != "-";
  if (medium) bundles.push_back(output);
  check(context, bundles, medium ? output : std::string(), std::move(others));
}

}  // namespace airgap::bundle
