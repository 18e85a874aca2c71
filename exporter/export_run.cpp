#include "exporter/export_run.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <mutex>
#include <set>

#include "bundle-format/bundle_writer.hpp"
#include "bundle-format/creation_time.hpp"
#include "bundle-format/skopeo_tree/tree_writer.hpp"
#include "common/cli/report_file.hpp"
#include "common/text/human_size.hpp"
#include "exporter/fetch.hpp"
#include "exporter/holdings.hpp"
#include "exporter/image_progress.hpp"
#include "exporter/known_images.hpp"
#include "exporter/lock_file.hpp"
#include "exporter/lookaside_signatures.hpp"
#include "exporter/medium_proof.hpp"
#include "exporter/orphans.hpp"
#include "exporter/other_side.hpp"
#include "exporter/plan.hpp"
#include "exporter/plan_text.hpp"

namespace airgap::exporter {
namespace {

bundle::OutputForm form_of(const ExportSettings& settings) {
  if (settings.output.empty()) return bundle::OutputForm::archive;
  return settings.skopeo_tree ? bundle::tree_form(settings.output) : bundle::output_form(settings.output);
}

/// One run of `pull` or `plan`: chains the stages and keeps the report.
class ExportRun {
 public:
  ExportRun(const ExportSettings& settings, cli::Context& context)
      : m_settings(settings),
        m_context(context),
        m_form(form_of(settings)),
        m_volume_size(settings.volume_size),
        m_run(context, settings.command) {
    if (m_volume_size && m_form != bundle::OutputForm::archive) {
      throw diag::UsageError("--volume-size cuts an archive, and " + m_settings.output + " is none",
                             "write to --output FILE.tar: the volumes are FILE.001.tar, FILE.002.tar, …");
    }
    m_run.report().bundle = settings.output;
    if (m_settings.verify_media && *m_settings.verify_media != bundle::MediaCheck::none && !can_read_back()) {
      throw diag::UsageError("--verify-media reads back a directory or a FILE.tar, and nothing else",
                             "leave it out, and check with 'airgap-import verify' where the bundle arrives");
    }
  }

  int run() {
    return m_run.run("run the same command again: it goes on where it stopped", [this] { stages(); });
  }

 private:
  void stages() {
    if (m_form == bundle::OutputForm::pipe && m_context.console.json()) {
      throw diag::UsageError("--json and --output - both want standard output",
                             "leave --json out; --report FILE tells the same at the end");
    }
    m_created = bundle::creation_time();
    if (!m_settings.since.empty()) {
      refuse_itself();
      m_other_side = read_other_side(m_settings.since);
    }
    SourceImages source(m_settings.source, m_context, m_run);
    m_source = &source;
    m_names = names_inside(source.selection(), m_settings.names);
    refuse_targets_in_tree(source.selection());
    open_place();
    PinnedImages pinned = source.pin(known_images(*m_place));
    add_signatures(pinned);
    ExportPlan plan = plan_for(pinned);
    refuse_replacing(plan);
    std::optional<Target> target = target_of(plan);
    if (target && must_be_cut(*target)) {
      m_volume_size = target->medium.largest_file;
      open_place();
      plan = plan_for(pinned);
      refuse_replacing(plan);
      target = target_of(plan);
    }
    if (m_settings.show_images) print_planned_images(plan, m_context.console);
    print_plan(plan, target, m_context.console);
    if (m_settings.dry_run) record_planned(plan);
    if (target) check_target(plan, *target);
    if (!m_settings.lock.empty()) lock(plan, pinned);
    if (m_settings.dry_run) return;
    // The plan has all that it needs; what was pinned is large where images are many.
    if (!m_settings.source.keep_going) pinned = {};
    try {
      transfer(pinned, plan);
    } catch (const diag::Error&) {
      record_unfinished(plan);
      throw;
    }
    if (target) prove(plan, target->medium);
  }

  bool can_read_back() const {
    return m_form == bundle::OutputForm::directory || m_form == bundle::OutputForm::archive;
  }

  void prove(const ExportPlan& plan, const io::Medium& medium) {
    using bundle::MediaCheck;
    const MediaCheck usual = medium.removable && can_read_back() ? MediaCheck::sample : MediaCheck::none;
    const MediaCheck depth = m_settings.verify_media.value_or(usual);
    if (depth != MediaCheck::none) prove_medium(*m_writer, m_settings.output, depth, plan, m_context);
  }

  void add_signatures(PinnedImages& pinned) {
    if (m_form != bundle::OutputForm::skopeo_tree) {
      warn_of_lookaside(pinned, m_settings.registries_d);
    } else if (!m_settings.dry_run) {
      add_lookaside_signatures(pinned, m_settings.registries_d, m_settings.source, *m_source, m_context,
                               m_run);
    }
  }

  void open_place() {
    m_place = nullptr;
    m_writer.reset();
    const bundle::OutputOptions output{.path = m_settings.output,
                                       .overwrite = m_settings.overwrite,
                                       .stop = m_context.stop,
                                       .skopeo_tree = tree_options(),
                                       .volume_size = m_volume_size};
    if (m_settings.dry_run) {
      m_looked_at =
          m_settings.output.empty() ? std::make_unique<bundle::EmptyPlace>() : bundle::look_at(output);
      m_place = m_looked_at.get();
    } else {
      m_writer = bundle::open_writer(output);
      m_place = m_writer.get();
    }
  }

  // A bundle that is made smaller by what is in itself would end with nothing in it.
  void refuse_itself() const {
    for (const std::string& since : m_settings.since) {
      std::error_code error;
      if (!std::filesystem::equivalent(since, m_settings.output, error)) continue;
      throw diag::UsageError(fmt::format("--since and --output both name {}", m_settings.output),
                             "write the delta to a place of its own");
    }
  }

  // A whole bundle in a directory is not to be thinned out by mistake.
  void refuse_thinning(const ExportPlan& plan) const {
    if (m_settings.since.empty() || m_settings.prune || !m_place->finished() || !m_place->existing()) return;
    std::set<hash::Digest> held;
    for (const bundle::Blob& blob : m_place->existing()->blobs) held.insert(blob.digest);
    for (const bundle::RequiredBlob& blob : plan.contents.info.requires_) {
      if (!held.contains(blob.digest)) continue;
      throw diag::UsageError(
          fmt::format("{} holds {}, which --since would leave out", m_settings.output, blob.digest.str()),
          "write the delta to a place of its own, or take such blobs out of the bundle with --prune");
    }
  }

  bool scoped() const { return m_names.mode == image::NameMode::scoped; }

  // skopeo's directories are named by sources alone.
  void refuse_targets_in_tree(const Selection& selection) const {
    if (m_form != bundle::OutputForm::skopeo_tree || selection.targets.all().empty()) return;
    throw diag::UsageError(
        fmt::format("{}: --format skopeo-dir has no other names than those of the source",
                    selection.targets.all().begin()->second.place),
        "leave targets out; --map of airgap-import push names images that lie in directories");
  }

  std::optional<bundle::TreeOptions> tree_options() const {
    if (m_form != bundle::OutputForm::skopeo_tree) return std::nullopt;
    return bundle::TreeOptions{.scoped = scoped(), .prune = m_settings.prune};
  }

  ExportPlan plan_for(const PinnedImages& pinned) {
    if (m_form == bundle::OutputForm::skopeo_tree) {
      std::vector<image::Reference> names;
      for (const PinnedImage& image : pinned.images) names.push_back(image.name);
      skopeo_tree::check_folders(names, scoped());
    }
    const bool directory = m_form == bundle::OutputForm::directory;
    Holdings holdings = holdings_of(*m_place, pinned, directory && !m_settings.prune, m_names.mode);
    holdings.number_used = holdings.finished || directory;
    ExportPlan plan = make_plan(pinned, holdings,
                                {.names = m_names,
                                 .creator = m_context.program + " " + m_context.version,
                                 .created = m_created.text,
                                 .new_stream = m_created.fixed ? derived_stream(pinned) : random_stream(),
                                 .other_side = m_other_side ? &*m_other_side : nullptr});
    if (directory) refuse_thinning(plan);
    return plan;
  }

  // A dry run says so too.
  void refuse_replacing(const ExportPlan& plan) const {
    if (m_form != bundle::OutputForm::archive || !m_place->finished() || plan.unchanged) return;
    if (!m_settings.overwrite) bundle::refuse_to_replace(m_settings.output);
  }

  std::optional<Target> target_of(const ExportPlan& plan) const {
    if (m_settings.output.empty()) return std::nullopt;
    auto medium = bundle::medium_of_output(m_settings.output);
    if (!medium) return std::nullopt;
    const bool archive = m_form == bundle::OutputForm::archive;
    return with_needs({.path = m_settings.output,
                       .form = m_form,
                       .volume_size = m_volume_size,
                       .medium = std::move(*medium),
                       .replaces = archive && m_place->finished() && m_settings.overwrite},
                      plan);
  }

  void transfer(const PinnedImages& pinned, ExportPlan& plan) {
    m_writer->begin(plan.contents);
    FetchReport fetched = fetch_all(plan);
    if (!fetched.failed.empty()) {
      const PinnedImages rest = without_failed(pinned, fetched);
      if (rest.images.empty() || m_form == bundle::OutputForm::pipe) throw fetched.failed.begin()->second;
      // What arrived is kept; the bundle is planned anew around what did not.
      open_place();
      plan = plan_for(rest);
      m_writer->begin(plan.contents);
      if (!fetch_all(plan).failed.empty()) throw fetched.failed.begin()->second;
    }
    m_writer->commit();
    m_run.report().bytes_present = plan.kept_bytes + plan.partial_bytes;
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

  FetchReport fetch_all(const ExportPlan& plan) {
    m_context.console.begin_transfers("fetching", plan.fetch_bytes, plan.fetch.size());
    ImageProgress progress(plan, m_context.console,
                           [&](std::size_t i, double seconds) { image_done(plan, i, seconds); });
    FetchReport fetched = fetch(plan, m_source->client(), *m_writer, progress,
                                {.jobs = m_settings.source.access.jobs,
                                 .keep_going = m_settings.source.keep_going,
                                 .stop = m_context.stop});
    m_context.console.end_transfers();
    m_run.report().blobs_moved += plan.fetch.size() - fetched.failed.size();
    m_run.report().bytes_moved += progress.moved();
    return fetched;
  }

  PinnedImages without_failed(const PinnedImages& pinned, const FetchReport& fetched) {
    PinnedImages rest;
    rest.configs = pinned.configs;
    for (const PinnedImage& image : pinned.images) {
      if (const diag::Error* cause = cause_of_failure(image, fetched)) {
        leave_out(image, *cause);
      } else {
        rest.images.push_back(image);
      }
    }
    for (const PinnedImage& orphan : drop_orphans({}, rest.images)) {
      leave_out(orphan, diag::NetworkError("what it accompanies is left out: " + orphan.subject->str()));
    }
    return rest;
  }

  static const diag::Error* cause_of_failure(const PinnedImage& image, const FetchReport& fetched) {
    for (const auto* blobs : {&image.graph.configs, &image.graph.layers}) {
      for (const image::Descriptor& blob : *blobs) {
        const auto failed = fetched.failed.find(blob.digest);
        if (failed != fetched.failed.end()) return &failed->second;
      }
    }
    return nullptr;
  }

  void leave_out(const PinnedImage& image, const diag::Error& cause) {
    cli::ImageOutcome outcome;
    outcome.name = image.name.str();
    m_run.fail(std::move(outcome), "is left out", cause);
    m_done.insert(image.name);
  }

  cli::ImageOutcome outcome_of(const bundle::Image& image, std::string outcome, double seconds) const {
    cli::ImageOutcome done;
    done.name = image.name.str();
    done.digest = image.digest.str();
    done.bytes = image.bytes;
    done.outcome = std::move(outcome);
    done.seconds = seconds;
    done.notes = m_source->notes_of(image.name);
    return done;
  }

  // From any worker.
  void image_done(const ExportPlan& plan, std::size_t index, double seconds) {
    const bundle::Image& image = plan.contents.info.images[index];
    const std::string outcome = was_there(image) ? "unchanged" : "fetched";
    {
      const std::scoped_lock lock(m_mutex);
      if (!m_done.insert(image.name).second) return;
    }
    m_run.add(outcome_of(image, outcome, seconds));
    m_context.console.image_finished(image.name.str(), outcome, image.bytes, seconds);
  }

  bool was_there(const bundle::Image& image) const {
    if (m_other_side && m_other_side->images.contains({image.name, image.digest})) return true;
    const bundle::Image* earlier = m_place->finished() ? m_place->existing_image(image.name) : nullptr;
    return earlier != nullptr && earlier->digest == image.digest;
  }

  // The selection alone, also where a directory keeps others beside it.
  void lock(const ExportPlan& plan, const PinnedImages& pinned) const {
    if (!m_source->selection().blobs.empty()) {
      throw diag::UsageError("--lock pins images, and a want-list names blobs",
                             "pull by the want-list as it is: it names them by digest");
    }
    std::set<image::Reference> selected;
    for (const PinnedImage& image : pinned.images) selected.insert(image.name);
    std::vector<bundle::Image> images = plan.contents.info.images;
    std::erase_if(images, [&](const bundle::Image& image) { return !selected.contains(image.name); });
    cli::write_report_file(m_settings.lock, write_lock(m_names.mode, images), "lock");
    m_context.console.status(
        fmt::format("{}: {} pinned", m_settings.lock, text::counted(images.size(), "image")));
  }

  // The report has every image, whatever ends the run.
  void record_unfinished(const ExportPlan& plan) {
    for (const bundle::Image& image : plan.contents.info.images) {
      if (!m_done.contains(image.name)) m_run.add(outcome_of(image, "unfinished", 0));
    }
  }

  void record_planned(const ExportPlan& plan) {
    for (const bundle::Image& image : plan.contents.info.images) {
      m_run.add(outcome_of(image, "planned", 0));
    }
  }

  const ExportSettings& m_settings;
  cli::Context& m_context;
  bundle::OutputForm m_form;
  std::optional<std::uint64_t> m_volume_size;
  bundle::CreationTime m_created;
  std::optional<OtherSide> m_other_side;  ///< of a delta
  image::Mapping m_names;
  cli::ReportedRun m_run;
  SourceImages* m_source = nullptr;                  ///< lives as long as stages() runs
  std::unique_ptr<bundle::BundleWriter> m_writer;    ///< null in a dry run
  std::unique_ptr<bundle::BundlePlace> m_looked_at;  ///< in a dry run
  const bundle::BundlePlace* m_place = nullptr;      ///< one of the two
  std::mutex m_mutex;
  std::set<image::Reference> m_done;
};

}  // namespace

int run_export(const ExportSettings& settings, cli::Context& context) {
  return ExportRun(settings, context).run();
}

}  // namespace airgap::exporter
