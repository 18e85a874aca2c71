#include "common/delivery/delivery_run.hpp"

#include <fmt/format.h>

#include <utility>

#include "common/delivery/confirm.hpp"
#include "common/delivery/plan_text.hpp"
#include "common/delivery/referrers_tag.hpp"
#include "common/delivery/survey.hpp"
#include "common/diag/exit_code.hpp"
#include "common/diag/log.hpp"
#include "common/text/human_size.hpp"

namespace airgap::delivery {

DeliveryRun::DeliveryRun(DeliverySettings settings, cli::Context& context)
    : m_settings(std::move(settings)), m_context(context) {
  m_report.command = m_settings.command;
  m_report.bundle = m_settings.bundle;
  m_report.target = m_settings.target;
}

int DeliveryRun::run(const std::function<void()>& stages) {
  try {
    stages();
  } catch (diag::Error& error) {
    if (error.kind() == diag::ErrorKind::network && error.hint().empty()) {
      error.set_hint("run the same command again: what the registry has is not sent again");
    }
    m_report.status = diag::exit_code(error.kind());
    m_report.error = error.full_message();
    m_report.error_kind = diag::kind_name(error.kind());
    m_report.seconds = seconds();
    cli::publish(m_report, m_context);
    throw;
  }
  m_report.seconds = seconds();
  cli::publish(m_report, m_context);
  return m_report.status;
}

void DeliveryRun::leave_out(const std::string& name, const diag::Error& error) {
  cli::ImageOutcome outcome;
  outcome.name = name;
  fail(outcome, error);
  m_report.images.push_back(std::move(outcome));
}

Plan DeliveryRun::plan(std::vector<Placement> placements, registry::RegistryClient& client,
                       const RequiredBlobs& required) {
  cli::Console& console = m_context.console;
  const SurveyOptions options{
      .jobs = m_settings.jobs,
      .stop = m_context.stop,
      .begin = [&](std::uint64_t count) { console.begin_count("asking the registry", count, false); },
      .asked = [&] { console.count(1); }};
  RegistryContent content = survey(placements, client, options);
  look_elsewhere(placements, required, client, options, content);
  console.end_count();
  Plan plan = make_plan(std::move(placements), content, required);
  print_plan(plan, console, m_settings.dry_run);
  return plan;
}

std::vector<bool> DeliveryRun::execute(const Plan& plan, registry::RegistryClient& client,
                                       transport::ImageSource* again,
                                       const std::function<void(const PushOptions&, Failures&)>& push_blobs) {
  std::vector<bool> in_place(plan.placements.size(), false);
  Failures failures(m_settings.keep_going);
  if (m_settings.dry_run) {
    record(plan, failures, "planned");
    return in_place;
  }
  const PushOptions options{.jobs = m_settings.jobs, .stop = m_context.stop, .sender = m_settings.sender};
  m_context.console.begin_transfers("pushing", plan.upload_bytes + plan.mount_bytes, plan.blobs.size());
  push_blobs(options, failures);
  m_context.console.end_transfers();
  push_manifests(plan, client, again, options, failures);
  update_referrers_tags(plan, client, options, failures);
  push_tags(plan, client, options, failures);
  confirm(plan, client, options, failures);
  m_report.bytes_moved = plan.upload_bytes;
  m_report.bytes_present = plan.present_bytes + plan.mount_bytes;
  m_report.blobs_moved = plan.blobs.size();
  record(plan, failures, "pushed");
  m_context.console.status(fmt::format("{}: {} of {} in place", m_settings.target,
                                       plan.placements.size() - failures.all().size(),
                                       text::counted(plan.placements.size(), "image")));
  for (std::size_t i = 0; i < in_place.size(); ++i) in_place[i] = !failures.has_failed(i);
  return in_place;
}

void DeliveryRun::record(const Plan& plan, const Failures& failures, const std::string& outcome_word) {
  const std::vector<bool> touched = plan.touched();
  for (std::size_t i = 0; i < plan.placements.size(); ++i) {
    const Placement& placement = plan.placements[i];
    cli::ImageOutcome outcome;
    outcome.name = placement.name.str();
    outcome.digest = placement.digest.str();
    outcome.target = placement.target.str();
    outcome.bytes = placement.bytes;
    outcome.outcome = touched[i] ? outcome_word : "present";
    outcome.seconds = seconds();
    if (const auto found = failures.all().find(i); found != failures.all().end()) {
      fail(outcome, found->second);
    }
    m_context.console.image_finished(outcome.target, outcome.outcome, outcome.bytes, outcome.seconds);
    m_report.images.push_back(std::move(outcome));
  }
}

void DeliveryRun::fail(cli::ImageOutcome& outcome, const diag::Error& error) {
  diag::log(m_settings.command, diag::LogLevel::error,
            fmt::format("{} failed: {}", outcome.target.empty() ? outcome.name : outcome.target,
                        error.full_message()));
  if (m_report.status == 0) m_report.status = diag::exit_code(error.kind());
  outcome.outcome = "failed";
  outcome.error = error.full_message();
  outcome.error_kind = diag::kind_name(error.kind());
}

double DeliveryRun::seconds() const {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - m_start).count();
}

}  // namespace airgap::delivery
