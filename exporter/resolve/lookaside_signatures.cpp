#include "exporter/resolve/lookaside_signatures.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "common/diag/log.hpp"
#include "common/lookaside/signature_store.hpp"
#include "common/task/for_each.hpp"
#include "common/text/human_size.hpp"

namespace airgap::exporter {
namespace {

bundle::Signatures signatures_of(const PinnedImage& image, const lookaside::SignatureReader& reader) {
  bundle::Signatures found;
  for (const auto& manifest : image.graph.manifests) {
    auto list = reader.read(image.name, manifest.descriptor.digest);
    if (!list.empty()) found.emplace(manifest.descriptor.digest, std::move(list));
  }
  return found;
}

}  // namespace

void add_lookaside_signatures(PinnedImages& pinned, const std::string& directory,
                              const SourceSettings& settings, SourceImages& source, cli::Context& context,
                              cli::ReportedRun& run) {
  const lookaside::LookasideConf conf = lookaside::load_lookaside_conf(directory);
  if (conf.empty()) return;
  const lookaside::SignatureReader reader(conf, source.http(), source.origins());
  std::vector<std::optional<diag::Error>> failures(pinned.images.size());
  task::for_each_index(pinned.images.size(), settings.access.jobs, context.stop, [&](std::size_t i) {
    try {
      pinned.images[i].signatures = signatures_of(pinned.images[i], reader);
    } catch (const diag::Interrupted&) {
      throw;
    } catch (const diag::Error& error) {
      if (!settings.keep_going) throw;
      failures[i] = error;
    }
  });
  std::vector<PinnedImage> rest;
  const diag::Error* first = nullptr;
  for (std::size_t i = 0; i < failures.size(); ++i) {
    if (!failures[i]) {
      rest.push_back(std::move(pinned.images[i]));
      continue;
    }
    if (first == nullptr) first = &*failures[i];
    cli::ImageOutcome outcome;
    outcome.name = pinned.images[i].name.str();
    run.fail(std::move(outcome), "is left out", *failures[i]);
  }
  pinned.images = std::move(rest);
  if (pinned.images.empty() && first != nullptr) throw diag::Error(*first);
}

void warn_of_lookaside(const PinnedImages& pinned, const std::string& directory, std::string_view who) {
  try {
    const lookaside::LookasideConf conf = lookaside::load_lookaside_conf(directory);
    const auto count =
        std::count_if(pinned.images.begin(), pinned.images.end(),
                      [&](const PinnedImage& image) { return conf.read_url(image.name).has_value(); });
    if (count == 0) return;
    diag::log("plan", diag::LogLevel::warning,
              fmt::format("registries.d names a lookaside for {}: {} does not carry signatures from there, "
                          "pull --format skopeo-dir does",
                          text::counted(static_cast<std::size_t>(count), "image"), who));
  } catch (const diag::UsageError& error) {  // nothing is read from there
    diag::log("plan", diag::LogLevel::debug, error.message());
  }
}

}  // namespace airgap::exporter
