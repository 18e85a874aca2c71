#include "importer/import_run.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "bundle-format/bundle_reader.hpp"
#include "common/cli/report.hpp"
#include "common/diag/exit_code.hpp"
#include "common/io/file.hpp"
#include "common/text/human_size.hpp"
#include "importer/confirm.hpp"
#include "importer/map.hpp"
#include "importer/plan.hpp"
#include "importer/plan_text.hpp"
#include "importer/push.hpp"
#include "importer/referrers_tag.hpp"
#include "importer/standard_input.hpp"
#include "importer/survey.hpp"

namespace airgap::importer {
namespace {

image::RegistryTarget parse_target(const std::string& text) {
  try {
    return image::RegistryTarget::parse(text);
  } catch (const diag::FormatError& error) {
    throw diag::UsageError(error.message(), error.hint());
  }
}

/// One run of `push`: chains the stages and keeps the report.
class ImportRun {
 public:
  ImportRun(const ImportSettings& settings, cli::Context& context)
      : m_settings(settings), m_context(context), m_target(parse_target(settings.target)) {
    m_report.command = "push";
    m_report.bundle = settings.bundle;
    m_report.target = m_target.str();
  }

  int run() {
    try {
      stages();
    } catch (diag::Error& error) {
      if (error.kind() == diag::ErrorKind::network && error.hint().empty()) {
        error.set_hint("run the same command again: what the registry has is not sent again");
      }
      m_report.status = diag::exit_code(error.kind());
      m_report.error = error.full_message();
      m_report.error_kind = diag::kind_name(error.kind());
      finish_report();
      throw;
    }
    finish_report();
    return m_report.status;
  }

 private:
  void stages() {
    cli::RegistryAccess access(m_settings.access, m_target.registry, m_context);
    registry::RegistryClient& client = access.client();
    if (m_settings.bundle == "-") {
      StandardInput input(m_context.stop);
      const auto stream = bundle::open_stream(input);
      const ImportPlan plan = plan_for(stream->info(), *stream, client);
      execute(plan, client, nullptr,
              [&] { return push_blobs(plan, *stream, client, m_context.console, push_options()); });
    } else {
      const auto reader = bundle::open_bundle(m_settings.bundle);
      const ImportPlan plan = plan_for(reader->info(), *reader, client);
      execute(plan, client, reader.get(),
              [&] { return push_blobs(plan, *reader, client, m_context.console, push_options()); });
    }
  }

  PushOptions push_options() const {
    return {.jobs = m_settings.access.jobs, .keep_going = m_settings.keep_going, .stop = m_context.stop};
  }

  ImportPlan plan_for(const bundle::BundleInfo& info, transport::ImageSource& source,
                      registry::RegistryClient& client) {
    auto placements = map_images(info, source, m_target, m_settings.names);
    const RegistryContent content = survey(
        placements, client,
        {.jobs = m_settings.access.jobs,
         .stop = m_context.stop,
         .begin =
             [&](std::uint64_t count) { m_context.console.begin_count("asking the registry", count, false); },
         .asked = [&] { m_context.console.count(1); }});
    m_context.console.end_count();
    ImportPlan plan = make_plan(std::move(placements), content, info.blobs);
    print_plan(plan, m_context.console, m_settings.dry_run);
    return plan;
  }

  template <class PushBlobs>
  void execute(const ImportPlan& plan, registry::RegistryClient& client, transport::ImageSource* again,
               PushBlobs&& blobs) {
    if (m_settings.dry_run) {
      record(plan, {}, "planned");
      return;
    }
    m_context.console.begin_transfers("pushing", plan.upload_bytes + plan.mount_bytes, plan.blobs.size());
    FailedPlacements failed = blobs();
    m_context.console.end_transfers();
    push_manifests(plan, client, again, push_options(), failed);
    push_tags(plan, client, push_options(), failed);
    update_referrers_tags(plan, client, push_options(), failed);
    confirm(plan, client, push_options(), failed);
    m_report.bytes_moved = plan.upload_bytes;
    m_report.bytes_present = plan.present_bytes + plan.mount_bytes;
    m_report.blobs_moved = plan.blobs.size();
    record(plan, failed, "pushed");
    m_context.console.status(fmt::format("{}: {} of {} in place", m_target.str(),
                                         plan.placements.size() - failed.size(),
                                         text::counted(plan.placements.size(), "image")));
  }

  // Beside plan.placements: what the plan has a step for.
  static std::vector<bool> touched(const ImportPlan& plan) {
    std::vector<bool> images(plan.placements.size(), false);
    const auto touch = [&](const auto& step) {
      for (const std::size_t image : step.images) images[image] = true;
    };
    for (const BlobStep& step : plan.blobs) touch(step);
    for (const ManifestStep& step : plan.manifests) touch(step);
    for (const TagStep& step : plan.tags) {
      if (!step.unchanged()) images[step.image] = true;
    }
    return images;
  }

  void record(const ImportPlan& plan, const FailedPlacements& failed, const std::string& outcome_word) {
    const std::vector<bool> changed = touched(plan);
    for (std::size_t i = 0; i < plan.placements.size(); ++i) {
      const Placement& placement = plan.placements[i];
      cli::ImageOutcome outcome;
      outcome.name = placement.image.name.str();
      outcome.digest = placement.image.digest.str();
      outcome.target = placement.target.str();
      outcome.bytes = placement.image.bytes;
      outcome.outcome = changed[i] ? outcome_word : "present";
      outcome.seconds = seconds();
      if (const auto found = failed.find(i); found != failed.end()) fail(outcome, found->second);
      m_context.console.image_finished(outcome.target, outcome.outcome, outcome.bytes, outcome.seconds);
      m_report.images.push_back(std::move(outcome));
    }
  }

  void fail(cli::ImageOutcome& outcome, const diag::Error& error) {
    diag::log("push", diag::LogLevel::error,
              fmt::format("{} failed: {}", outcome.target, error.full_message()));
    if (m_report.status == 0) m_report.status = diag::exit_code(error.kind());
    outcome.outcome = "failed";
    outcome.error = error.full_message();
    outcome.error_kind = diag::kind_name(error.kind());
  }

  double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - m_start).count();
  }

  void finish_report() {
    m_report.seconds = seconds();
    cli::publish(m_report, m_context);
  }

  const ImportSettings& m_settings;
  cli::Context& m_context;
  image::RegistryTarget m_target;
  std::chrono::steady_clock::time_point m_start = std::chrono::steady_clock::now();
  cli::RunReport m_report;
};

}  // namespace

int run_import(const ImportSettings& settings, cli::Context& context) {
  return ImportRun(settings, context).run();
}

}  // namespace airgap::importer
