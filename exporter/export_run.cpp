#include "exporter/export_run.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <mutex>
#include <set>

#include "bundle-format/bundle_writer.hpp"
#include "bundle-format/skopeo_tree/tree_writer.hpp"
#include "common/cli/report.hpp"
#include "common/diag/exit_code.hpp"
#include "common/text/human_size.hpp"
#include "exporter/creation_time.hpp"
#include "exporter/expand.hpp"
#include "exporter/fetch.hpp"
#include "exporter/holdings.hpp"
#include "exporter/image_progress.hpp"
#include "exporter/plan.hpp"
#include "exporter/plan_text.hpp"
#include "exporter/resolve.hpp"

namespace airgap::exporter {
namespace {

/// One run of `pull`: chains the stages and keeps the report.
class ExportRun {
 public:
  ExportRun(const ExportSettings& settings, cli::Context& context)
      : m_settings(settings),
        m_context(context),
        m_form(settings.skopeo_tree ? bundle::tree_form(settings.output)
                                    : bundle::output_form(settings.output)) {
    m_report.command = "pull";
    m_report.bundle = settings.output;
  }

  int run() {
    try {
      stages();
    } catch (diag::Error& error) {
      if (error.kind() == diag::ErrorKind::network && error.hint().empty()) {
        error.set_hint("run the same command again: it goes on where it stopped");
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
    if (m_form == bundle::OutputForm::pipe && m_context.console.json()) {
      throw diag::UsageError("--json and --output - both want standard output",
                             "leave --json out; --report FILE tells the same at the end");
    }
    m_created = creation_time();
    Selection selection = select(m_settings.select);
    if (selection.default_platform) {
      m_context.console.status(fmt::format("platform {} (this machine's; choose with --platform)",
                                           selection.platforms.general.str()));
    }
    cli::RegistryAccess access(m_settings.access, credential_host(selection), m_context,
                               selection.registries);
    open_writer();
    TagLists tags(access.client());
    selection = expand_all(std::move(selection), tags);
    const PinnedImages pinned = resolve_all(selection, access.client(), tags);
    note(pinned);
    m_names = names_inside(selection, m_settings.names);
    ExportPlan plan = plan_for(pinned);
    print_plan(plan, m_context.console);
    if (m_settings.dry_run) {
      record_planned(plan);
      return;
    }
    check_space(plan);
    transfer(pinned, plan, access.client());
  }

  // Credentials given for this run belong to the one registry that is named; several registries need an auth
  // file.
  static std::string credential_host(const Selection& selection) {
    std::set<std::string> hosts;
    for (const Wanted& wanted : selection.images) hosts.insert(wanted.name.registry);
    for (const WantedTags& wanted : selection.repositories) hosts.insert(wanted.repository.registry);
    return hosts.size() == 1 ? *hosts.begin() : std::string{};
  }

  void open_writer() {
    m_writer.reset();
    m_writer = bundle::open_writer({.path = m_settings.output,
                                    .overwrite = m_settings.overwrite,
                                    .dry_run = m_settings.dry_run,
                                    .stop = m_context.stop,
                                    .skopeo_tree = tree_options()});
  }

  bool scoped() const { return m_settings.names.mode == image::NameMode::scoped; }

  std::optional<bundle::TreeOptions> tree_options() const {
    if (m_form != bundle::OutputForm::skopeo_tree) return std::nullopt;
    return bundle::TreeOptions{.scoped = scoped(), .prune = m_settings.prune};
  }

  Selection expand_all(Selection selection, TagLists& tags) {
    if (selection.repositories.empty()) return selection;
    Expanded expanded = expand(std::move(selection), tags,
                               {.jobs = m_settings.access.jobs,
                                .allow_empty = m_settings.allow_empty,
                                .keep_going = m_settings.keep_going,
                                .stop = m_context.stop});
    for (const FailedImage& failed : expanded.failed) fail(failed.name, failed.error);
    if (expanded.selection.images.empty()) throw expanded.failed.front().error;
    return std::move(expanded.selection);
  }

  PinnedImages resolve_all(const Selection& selection, registry::RegistryClient& client, TagLists& tags) {
    m_context.console.begin_count("resolving", selection.images.size(), false);
    const KnownImages known = known_images(*m_writer);
    PinnedImages pinned = resolve(selection, client, tags, known,
                                  {.jobs = m_settings.access.jobs,
                                   .referrers = m_settings.referrers,
                                   .keep_going = m_settings.keep_going,
                                   .stop = m_context.stop,
                                   .image_done = [this] { m_context.console.count(1); }});
    m_context.console.end_count();
    for (const FailedImage& failed : pinned.failed) fail(failed.name, failed.error);
    if (pinned.images.empty() && !pinned.failed.empty()) throw pinned.failed.front().error;
    return pinned;
  }

  // What an operator should know is said once, and stands in the report.
  void note(const PinnedImages& pinned) {
    for (const PinnedImage& image : pinned.images) {
      for (const std::string& text : image.notes) {
        diag::log("plan", diag::LogLevel::warning, fmt::format("{} {}", image.name.str(), text));
        m_notes[image.name].push_back(text);
      }
    }
  }

  ExportPlan plan_for(const PinnedImages& pinned) {
    if (m_form == bundle::OutputForm::skopeo_tree) {
      std::vector<image::Reference> names;
      for (const PinnedImage& image : pinned.images) names.push_back(image.name);
      skopeo_tree::check_folders(names, scoped());
    }
    const bool directory = m_form == bundle::OutputForm::directory;
    Holdings holdings = holdings_of(*m_writer, pinned, directory && !m_settings.prune);
    holdings.number_used = holdings.finished || directory;
    return make_plan(pinned, holdings,
                     {.names = m_names,
                      .creator = m_context.program + " " + m_context.version,
                      .created = m_created.text,
                      .new_stream = m_created.fixed ? derived_stream(pinned) : random_stream()});
  }

  void check_space(const ExportPlan& plan) const {
    const auto free = m_writer->free_bytes();
    if (!free) return;
    // A finished archive stays whole until the new one is, so what both hold needs room twice.
    const bool replaces =
        m_form == bundle::OutputForm::archive && m_writer->finished() && m_settings.overwrite;
    std::uint64_t needed = replaces && !plan.unchanged ? plan.kept_bytes : 0;
    for (const bundle::Blob& blob : plan.fetch)
      needed += blob.size - std::min(blob.size, m_writer->partial_bytes(blob));
    if (needed <= *free) return;
    throw diag::StorageError(
        fmt::format("{} more are needed at {}, and {} are free", text::human_size(needed), m_settings.output,
                    text::human_size(*free)),
        "free some space, choose another place, or carry fewer images");
  }

  void transfer(const PinnedImages& pinned, ExportPlan& plan, registry::RegistryClient& client) {
    m_writer->begin(plan.contents);
    FetchReport fetched = fetch_all(plan, client);
    if (!fetched.failed.empty()) {
      const PinnedImages rest = without_failed(pinned, fetched);
      if (rest.images.empty() || m_form == bundle::OutputForm::pipe) throw fetched.failed.begin()->second;
      // What arrived is kept; the bundle is planned anew around what did not.
      open_writer();
      plan = plan_for(rest);
      m_writer->begin(plan.contents);
      if (!fetch_all(plan, client).failed.empty()) throw fetched.failed.begin()->second;
    }
    m_writer->commit();
    m_report.bytes_present = plan.kept_bytes;
    const bundle::BundleInfo& info = plan.contents.info;
    if (m_form == bundle::OutputForm::skopeo_tree) {
      m_context.console.status(fmt::format("{}: {}, {}", m_settings.output,
                                           text::counted(info.images.size(), "image"),
                                           text::human_size(info.stored_bytes())));
      return;
    }
    m_context.console.status(fmt::format("{}: {}, {}, stream {} sequence {}", m_settings.output,
                                         text::counted(info.images.size(), "image"),
                                         text::human_size(info.stored_bytes()), info.stream, info.sequence));
  }

  FetchReport fetch_all(const ExportPlan& plan, registry::RegistryClient& client) {
    m_context.console.begin_transfers("fetching", plan.fetch_bytes, plan.fetch.size());
    ImageProgress progress(plan, m_context.console,
                           [&](std::size_t i, double seconds) { image_done(plan, i, seconds); });
    FetchReport fetched =
        fetch(plan, client, *m_writer, progress,
              {.jobs = m_settings.access.jobs, .keep_going = m_settings.keep_going, .stop = m_context.stop});
    m_context.console.end_transfers();
    m_report.blobs_moved += plan.fetch.size() - fetched.failed.size();
    for (const bundle::Blob& blob : plan.fetch) {
      if (!fetched.failed.contains(blob.digest)) m_report.bytes_moved += blob.size;
    }
    return fetched;
  }

  PinnedImages without_failed(const PinnedImages& pinned, const FetchReport& fetched) {
    PinnedImages rest;
    rest.configs = pinned.configs;
    for (const PinnedImage& image : pinned.images) {
      const diag::Error* cause = nullptr;
      for (const auto* blobs : {&image.graph.configs, &image.graph.layers}) {
        for (const image::Descriptor& blob : *blobs) {
          const auto failed = fetched.failed.find(blob.digest);
          if (failed != fetched.failed.end()) cause = &failed->second;
        }
      }
      if (cause == nullptr) {
        rest.images.push_back(image);
      } else {
        fail(image.name.str(), *cause);
      }
    }
    return rest;
  }

  void fail(const std::string& name, const diag::Error& error) {
    diag::log("pull", diag::LogLevel::error, fmt::format("{} is left out: {}", name, error.full_message()));
    if (m_report.status == 0) m_report.status = diag::exit_code(error.kind());
    cli::ImageOutcome outcome;
    outcome.name = name;
    outcome.outcome = "failed";
    outcome.error = error.full_message();
    outcome.error_kind = diag::kind_name(error.kind());
    const std::scoped_lock lock(m_mutex);
    m_report.images.push_back(std::move(outcome));
  }

  cli::ImageOutcome outcome_of(const bundle::Image& image, std::string outcome, double seconds) const {
    cli::ImageOutcome done;
    done.name = image.name.str();
    done.digest = image.digest.str();
    done.bytes = image.bytes;
    done.outcome = std::move(outcome);
    done.seconds = seconds;
    if (const auto notes = m_notes.find(image.name); notes != m_notes.end()) done.notes = notes->second;
    return done;
  }

  // From any worker.
  void image_done(const ExportPlan& plan, std::size_t index, double seconds) {
    const bundle::Image& image = plan.contents.info.images[index];
    const std::string outcome = was_there(image) ? "unchanged" : "fetched";
    {
      const std::scoped_lock lock(m_mutex);
      if (!m_done.insert(image.name).second) return;
      m_report.images.push_back(outcome_of(image, outcome, seconds));
    }
    m_context.console.image_finished(image.name.str(), outcome, image.bytes, seconds);
  }

  bool was_there(const bundle::Image& image) const {
    const bundle::Image* earlier = m_writer->finished() ? m_writer->existing_image(image.name) : nullptr;
    return earlier != nullptr && earlier->digest == image.digest;
  }

  void record_planned(const ExportPlan& plan) {
    for (const bundle::Image& image : plan.contents.info.images) {
      m_report.images.push_back(outcome_of(image, "planned", 0));
    }
  }

  void finish_report() {
    m_report.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - m_start).count();
    std::sort(m_report.images.begin(), m_report.images.end(),
              [](const auto& a, const auto& b) { return a.name < b.name; });
    cli::publish(m_report, m_context);
  }

  const ExportSettings& m_settings;
  cli::Context& m_context;
  bundle::OutputForm m_form;
  CreationTime m_created;
  image::Mapping m_names;
  std::unique_ptr<bundle::BundleWriter> m_writer;
  std::map<image::Reference, std::vector<std::string>> m_notes;
  std::chrono::steady_clock::time_point m_start = std::chrono::steady_clock::now();
  std::mutex m_mutex;
  std::set<image::Reference> m_done;
  cli::RunReport m_report;  // images: under m_mutex while workers run
};

}  // namespace

int run_export(const ExportSettings& settings, cli::Context& context) {
  return ExportRun(settings, context).run();
}

}  // namespace airgap::exporter
