#include "common/delivery/delivery_run.hpp"

#include <fmt/format.h>

#include <map>
#include <utility>

#include "common/delivery/confirm.hpp"
#include "common/delivery/plan_text.hpp"
#include "common/delivery/referrers_tag.hpp"
#include "common/delivery/survey.hpp"
#include "common/raii/scope_exit.hpp"
#include "common/text/human_size.hpp"
#include "common/transport/counting_observer.hpp"

namespace airgap::delivery {
namespace {

/// Of an image that a run which ended early did not get to; in the report alone.
constexpr std::string_view k_unfinished = "unfinished";

using Touched = std::map<std::size_t, std::vector<hash::Digest>>;  ///< lost blobs by placement

[[noreturn]] void refuse_lost(Plan plan, const LostBlobs& lost, const std::vector<hash::Digest>& blobs,
                              const Touched& touched) {
  std::vector<std::string> names;
  for (const auto& [image, digests] : touched) names.push_back(plan.placements[image].name.str());
  std::erase_if(plan.missing,
                [&](const MissingBlob& missing) { return lost.blobs.contains(missing.blob.digest); });
  if (!plan.missing.empty() && lost.and_required) lost.and_required(plan);
  throw diag::Error(lost.explain(blobs, names));
}

void count_kept(Plan& plan, registry::RegistryClient& client) {
  for (BlobStep& step : plan.blobs) {
    if (!step.upload() || !step.carried) continue;
    step.kept = client.kept_bytes(step.missing.front(), step.blob);
    plan.kept_bytes += step.kept;
  }
}

}  // namespace

DeliveryRun::DeliveryRun(DeliverySettings settings, cli::Context& context)
    : m_settings(std::move(settings)), m_context(context), m_run(context, m_settings.command) {
  m_run.report().bundle = m_settings.bundle;
  m_run.report().target = m_settings.target;
}

int DeliveryRun::run(const std::function<void()>& stages) {
  return m_run.run("run the same command again: what the registry has is not sent again", stages);
}

void DeliveryRun::leave_out(const std::string& name, const diag::Error& error) {
  cli::ImageOutcome outcome;
  outcome.name = name;
  ++m_left_out;
  m_run.fail(std::move(outcome), "is left out", error);
}

Plan DeliveryRun::plan(std::vector<Placement> placements, registry::RegistryClient& client,
                       const RequiredBlobs& required, KnownTags known, const LostBlobs& lost) {
  cli::Console& console = m_context.console;
  const SurveyOptions options{
      .jobs = m_settings.jobs,
      .tags = std::move(known),
      .stop = m_context.stop,
      .begin = [&](std::uint64_t count) { console.begin_count("asking the registry", count, false); },
      .asked = [&] { console.count(1); }};
  RegistryContent content = survey(placements, client, options);
  look_elsewhere(placements, required, client, options, content);
  console.end_count();
  RequiredBlobs lacking = required;
  for (const hash::Digest& blob : lost.blobs) lacking.blobs.try_emplace(blob, std::nullopt);
  Plan plan = without_lost(make_plan(std::move(placements), content, lacking), content, lacking, lost);
  // Those lie in volumes, and are no delta's to require.
  std::erase_if(plan.required, [&](const hash::Digest& blob) { return !required.blobs.contains(blob); });
  count_kept(plan, client);
  print_plan(plan, console, m_settings.dry_run);
  return plan;
}

Plan DeliveryRun::without_lost(Plan plan, const RegistryContent& content, const RequiredBlobs& lacking,
                               const LostBlobs& lost) {
  Touched touched;
  std::vector<hash::Digest> blobs;
  for (const MissingBlob& missing : plan.missing) {
    if (!lost.blobs.contains(missing.blob.digest)) continue;
    blobs.push_back(missing.blob.digest);
    for (const std::size_t image : missing.images) touched[image].push_back(missing.blob.digest);
  }
  if (touched.empty()) return plan;
  if (!m_settings.keep_going) refuse_lost(plan, lost, blobs, touched);
  std::vector<Placement> rest;
  for (std::size_t i = 0; i < plan.placements.size(); ++i) {
    const auto found = touched.find(i);
    if (found == touched.end()) {
      rest.push_back(std::move(plan.placements[i]));
      continue;
    }
    const std::string name = plan.placements[i].name.str();
    leave_out(name, lost.explain(found->second, {name}));
  }
  return make_plan(std::move(rest), content, lacking);
}

std::vector<bool> DeliveryRun::execute(const Plan& plan, registry::RegistryClient& client,
                                       transport::ImageSource* again, const PushBlobs& push_blobs) {
  std::vector<bool> in_place(plan.placements.size(), false);
  Failures failures(m_settings.keep_going);
  if (m_settings.dry_run) {
    record(plan, failures, "planned");
    return in_place;
  }
  try {
    carry_out(plan, client, again, push_blobs, failures);
  } catch (const diag::Error&) {
    record(plan, failures, std::string(k_unfinished));
    throw;
  }
  m_run.report().bytes_present += plan.present_bytes + plan.step_bytes() - plan.upload_bytes;
  record(plan, failures, "pushed");
  m_context.console.status(fmt::format("{}: {} of {} in place", m_settings.target,
                                       plan.placements.size() - failures.all().size(),
                                       text::counted(plan.placements.size() + m_left_out, "image")));
  for (std::size_t i = 0; i < in_place.size(); ++i) in_place[i] = !failures.has_failed(i);
  return in_place;
}

void DeliveryRun::carry_out(const Plan& plan, registry::RegistryClient& client, transport::ImageSource* again,
                            const PushBlobs& push_blobs, Failures& failures) {
  const PushOptions options{.jobs = m_settings.jobs, .stop = m_context.stop, .sender = m_settings.sender};
  m_context.console.begin_transfers("pushing", plan.step_bytes(), plan.blobs.size());
  transport::CountingObserver sent(m_context.console);
  const raii::ScopeExit note([&] {  // also when the push is broken off
    m_run.report().bytes_moved = sent.bytes();
    m_run.report().bytes_present = sent.already();
    m_run.report().blobs_moved = sent.blobs();
  });
  push_blobs(sent, options, failures);
  m_context.console.end_transfers();
  push_manifests(plan, client, again, options, failures);
  update_referrers_tags(plan, client, options, failures);
  push_tags(plan, client, options, failures);
  confirm(plan, client, options, failures);
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
    outcome.seconds = m_run.seconds();
    outcome.notes = placement.notes;
    const auto failed = failures.all().find(i);
    if (outcome.outcome != k_unfinished)
      m_context.console.image_finished(outcome.target,
                                       failed == failures.all().end() ? outcome.outcome : "failed",
                                       outcome.bytes, outcome.seconds);
    if (failed == failures.all().end()) {
      m_run.add(std::move(outcome));
    } else {
      m_run.fail(std::move(outcome), "failed", failed->second);
    }
  }
}

}  // namespace airgap::delivery
