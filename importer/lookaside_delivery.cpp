#include "importer/lookaside_delivery.hpp"

#include <fmt/format.h>

#include <map>
#include <optional>

#include "common/diag/log.hpp"
#include "common/lookaside/signature_store.hpp"
#include "common/text/human_size.hpp"

namespace airgap::importer {
namespace {

constexpr const char* k_hint =
    "name a lookaside-staging directory for the target in registries.d (--registries-d), or leave them "
    "behind with "
    "--remove-signatures";

std::string staging_of(const image::Reference& target, const lookaside::LookasideConf& conf) {
  const auto url = conf.write_url(target);
  if (!url)
    throw diag::UsageError(
        fmt::format("{} has signatures, and registries.d names no place for them", target.str()), k_hint);
  try {
    return lookaside::directory_of_url(*url);
  } catch (diag::UsageError& error) {
    error.add_context(fmt::format("placing the signatures of {}", target.str()));
    error.set_hint(k_hint);
    throw;
  }
}

}  // namespace

std::vector<SignatureStep> place_signatures(const bundle::BundleReader& reader,
                                            const std::vector<delivery::Placement>& placements,
                                            const ImportSettings& settings) {
  std::map<image::Reference, const bundle::Image*> images;
  for (const bundle::Image& image : reader.info().images) images.emplace(image.name, &image);
  std::optional<lookaside::LookasideConf> conf;
  std::vector<SignatureStep> steps;
  std::size_t left = 0;
  for (std::size_t i = 0; i < placements.size(); ++i) {
    const bundle::Image& source = *images.at(placements[i].name);
    if (reader.signatures_of(source).empty()) continue;
    if (settings.remove_signatures) {
      ++left;
      continue;
    }
    if (!conf) conf = lookaside::load_lookaside_conf(settings.registries_d);
    const image::Reference& target = placements[i].target;
    steps.push_back({i, target, &source, staging_of(target, *conf)});
  }
  if (left != 0)
    diag::log("push", diag::LogLevel::warning,
              fmt::format("the signature files of {} stay behind", text::counted(left, "image")));
  return steps;
}

void write_signatures(const std::vector<SignatureStep>& steps, const bundle::BundleReader& reader,
                      delivery::Failures& failures) {
  for (const SignatureStep& step : steps) {
    failures.run([&] { return std::vector{step.image}; },
                 [&] {
                   for (const auto& [manifest, signatures] : reader.signatures_of(*step.source))
                     lookaside::write_signatures(step.directory, step.target, manifest, signatures);
                 });
  }
}

}  // namespace airgap::importer
