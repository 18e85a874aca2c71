#include "exporter/export_run.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <set>

#include "bundle-format/archive/archive_plan.hpp"
#include "bundle-format/skopeo_tree/layout.hpp"
#include "bundle-format/stored_bytes.hpp"
#include "bundle-format/volumes/volume_names.hpp"
#include "common/cli/report_file.hpp"
#include "common/raii/scope_exit.hpp"
#include "common/text/human_size.hpp"
#include "exporter/export_planner.hpp"
#include "exporter/fetch.hpp"
#include "exporter/image_outcomes.hpp"
#include "exporter/image_progress.hpp"
#include "exporter/medium_proof.hpp"
#include "exporter/plan/plan_text.hpp"
#include "exporter/plan/read_other_side.hpp"
#include "exporter/replaced_folders.hpp"
#include "exporter/resolve/known_images.hpp"
#include "exporter/resolve/lookaside_signatures.hpp"
#include "exporter/select/lock_file.hpp"
#include "exporter/survivors.hpp"

namespace airgap::exporter {
namespace {

using bundle::OutputForm;

/// One run of `pull` or `plan`: chains the stages.
class ExportRun {
 public:
  ExportRun(const ExportSettings& settings, cli::Context& context)
      : m_settings(settings),
        m_context(context),
        m_destination(settings, context.stop),
        m_run(context, settings.command) {
    m_run.report().bundle = settings.output;
  }

  int run() {
    const bool piped = m_destination.form() == OutputForm::pipe;
    const std::string again = piped ? "run all of the pipe again: it begins anew"
                                    : "run the same command again: it goes on where it stopped";
    return m_run.run(again, [&] {
      try {
        stages();
      } catch (diag::Error& stopped) {  // not always as Interrupted: another thread's is handed on
        if (piped && stopped.kind() == diag::ErrorKind::interrupted) stopped.set_hint(again);
        throw;
      }
    });
  }

 private:
  void stages() {
    if (m_destination.form() == OutputForm::pipe && m_context.console.json()) {
      throw diag::UsageError("--json and --output - both want standard output",
                             "leave --json out; --report FILE tells the same at the end");
    }
    m_basis.created = bundle::creation_time();
    m_basis.creator = m_context.creator();
    if (!m_settings.since.empty()) m_basis.other_side = read_other_side(m_settings.since, m_settings.output);
    SourceImages source(m_settings.source, m_context, m_run);
    m_basis.names = names_inside(source.selection(), m_settings.names);
    refuse_targets_in_tree(source.selection());
    m_destination.open(m_basis.names.mode);
    PinnedImages pinned = source.pin(known_images(m_destination.place()));
    add_signatures(pinned, source);

    ImageOutcomes outcomes(m_run, m_context.console, source,
                           m_basis.other_side ? &*m_basis.other_side : nullptr, m_destination);
    PlannedExport planned = m_planner.plan(pinned);
    check_maps(planned.plan, source);
    if (m_destination.form() == OutputForm::skopeo_tree) say_replaced(planned.plan, source);
    print_plan(planned.plan, planned.target, m_settings.dry_run ? NamedImages::all : NamedImages::first,
               m_context.console);
    if (planned.left) print_left(*planned.left, m_settings.output);
    if (m_settings.dry_run) outcomes.planned(planned.plan);
    if (planned.target) check_target(planned.plan, *planned.target);
    if (!m_settings.lock.empty()) lock(planned.plan, pinned, source.selection());
    if (m_settings.dry_run) return;
    if (m_destination.writer() == nullptr) return nothing_to_write(planned, outcomes);
    // The plan has all that it needs; what was pinned is large where images are many.
    if (!m_settings.source.keep_going) pinned = {};
    try {
      transfer(pinned, planned, source, outcomes);
    } catch (const diag::Error&) {
      outcomes.unfinished(planned.plan);
      throw;
    }
    if (planned.target) prove(planned.plan, planned.target->medium);
    report_files(planned.target);
  }

  void prove(const ExportPlan& plan, const io::Medium& medium) {
    using bundle::MediaCheck;
    const MediaCheck usual =
        medium.removable && m_destination.can_be_read_back() ? MediaCheck::sample : MediaCheck::none;
    const MediaCheck depth = m_settings.verify_media.value_or(usual);
    if (depth != MediaCheck::none)
      prove_medium(*m_destination.writer(), m_settings.output, medium, depth, plan, m_context);
  }

  void add_signatures(PinnedImages& pinned, SourceImages& source) {
    if (m_destination.form() != OutputForm::skopeo_tree) {
      warn_of_lookaside(pinned, m_settings.registries_d, "a bundle");
    } else if (!m_settings.dry_run) {
      add_lookaside_signatures(pinned, m_settings.registries_d, m_settings.source, source, m_context, m_run);
    }
  }

  void check_maps(const ExportPlan& plan, const SourceImages& source) const {
    std::vector<image::Reference> names;
    for (const bundle::Image& image : plan.contents.info.images) names.push_back(image.name);
    source.check_maps(m_basis.names, names);
  }

  // Checked before anything is fetched.
  void say_replaced(const ExportPlan& plan, SourceImages& source) const {
    const bool scoped = m_basis.names.mode == image::NameMode::scoped;
    for (const auto& [image, before] : replaced_folders(plan.contents.info.images, m_destination.place())) {
      const std::string folder = skopeo_tree::folder_of(image->name, scoped);
      if (!m_settings.overwrite_tags) {
        throw diag::IntegrityError(
            fmt::format("the folder {} in {} holds {} already, and {} stands for {}", folder,
                        m_settings.output, before.str(), image->name.str(), image->digest.str()),
            "leave out --no-overwrite-tags to replace it, or keep images of several repositories apart with "
            "--scoped");
      }
      if (scoped) continue;  // the folder says whose it is
      source.note(image->name, fmt::format("replaces {} by {} in the folder {}, whatever image that was",
                                           before.str(), image->digest.str(), folder));
    }
  }

  // skopeo's directories are named by sources alone.
  void refuse_targets_in_tree(const Selection& selection) const {
    if (m_destination.form() != OutputForm::skopeo_tree) return;
    const auto refuse = [](const std::string& where) {
      throw diag::UsageError(
          fmt::format("{}: --format skopeo-dir has no other names than those of the source", where),
          "leave targets out; --map of airgap-import push names images that lie in directories");
    };
    if (!selection.targets.all().empty()) refuse(selection.targets.all().begin()->second.place);
    if (!selection.blobs.empty())
      throw diag::UsageError("--format skopeo-dir holds images, and a want-list names blobs",
                             "leave it out: push reads any other form as well");
    const image::Mapping by_mode{.mode = m_basis.names.mode};
    for (const Wanted& image : selection.images) {
      if (!image.pin || image.pin->target == by_mode.inside(image.name)) continue;
      refuse(fmt::format("{} calls {} {} inside", image.pin->lock, image.name.str(), image.pin->target));
    }
  }

  void transfer(const PinnedImages& pinned, PlannedExport& planned, SourceImages& source,
                ImageOutcomes& outcomes) {
    const ExportPlan& plan = planned.plan;
    m_destination.writer()->begin(plan.contents);
    const FetchReport fetched = fetch_all(planned, source, outcomes);
    if (!fetched.failed.empty()) {
      const Survivors survivors = survivors_of(pinned, fetched);
      for (const auto& [name, cause] : survivors.left_out) outcomes.left_out(name, cause);
      if (survivors.pinned.images.empty() || bundle::is_in_order(m_destination.form()))
        throw fetched.failed.begin()->second;
      // What arrived is kept; the bundle is planned anew around what did not.
      planned = m_planner.plan_rest(survivors.pinned);
      m_destination.writer()->begin(plan.contents);
      const FetchReport rest = fetch_all(planned, source, outcomes);
      if (!rest.failed.empty()) throw fetched.failed.begin()->second;
    }
    m_destination.writer()->commit();
    m_run.report().bytes_present = plan.kept_bytes + plan.partial_bytes;
    say_sealed(planned);
  }

  // The medium is write-protected, and holds all of it: else check_target() would have refused.
  void nothing_to_write(const PlannedExport& planned, ImageOutcomes& outcomes) {
    for (const bundle::Image& image : planned.plan.contents.info.images) outcomes.in_place(image, false, 0);
    m_run.report().bytes_present = planned.plan.kept_bytes;
    if (m_settings.verify_media.value_or(bundle::MediaCheck::none) != bundle::MediaCheck::none)
      m_context.console.status(m_settings.output +
                               " was not read back, for what is found damaged could not be taken back: "
                               "'airgap-export verify' reads it");
    say_sealed(planned);
    report_files(planned.target);
  }

  void say_sealed(const PlannedExport& planned) {
    const bundle::BundleInfo& info = planned.plan.contents.info;
    const std::vector<std::string> files = files_written(planned.target);
    std::string line = files.front();
    if (files.size() > 1) line += " to " + std::filesystem::path(files.back()).filename().string();
    line += fmt::format(": {}, {}", text::counted(info.images.size(), "image"),
                        text::human_size(bytes_written(planned.plan, files)));
    if (m_destination.form() == OutputForm::compressed_archive)
      line += fmt::format(" for {} of content", text::human_size(info.stored_bytes()));
    if (m_destination.form() != OutputForm::skopeo_tree)
      line += fmt::format(", stream {} sequence {}", info.stream, info.sequence);
    m_context.console.status(line);
  }

  /// As they lie on the medium, metadata included.
  std::uint64_t bytes_written(const ExportPlan& plan, const std::vector<std::string>& files) const {
    if (m_destination.form() != OutputForm::pipe) return bundle::stored_bytes(files);
    return bundle::ArchivePlan(bundle::metadata_files(plan.contents), plan.contents.info).layout.end;
  }

  std::vector<std::string> files_written(const std::optional<Target>& target) const {
    const std::size_t volumes = target ? target->volumes : 0;
    if (volumes == 0) return {m_settings.output};
    const std::filesystem::path archive(m_settings.output);
    const bundle::VolumeNames names(archive.filename().string());
    std::vector<std::string> files;
    for (std::size_t i = 1; i <= volumes; ++i)
      files.push_back((archive.parent_path() / names.volume(i)).string());
    return files;
  }

  void report_files(const std::optional<Target>& target) {
    if (!bundle::is_archive(m_destination.form())) return;
    m_run.report().files = files_written(target);
    m_run.report().volumes = target ? target->volumes : 0;
  }

  FetchReport fetch_all(const PlannedExport& planned, SourceImages& source, ImageOutcomes& outcomes) {
    const ExportPlan& plan = planned.plan;
    const bool fills_gaps =
        m_destination.form() == OutputForm::archive && planned.target->medium.fills_gaps();
    m_context.console.begin_transfers("fetching", plan.fetch_bytes, plan.fetch.size());
    ImageProgress progress(plan, m_context.console, [&](std::size_t i, bool fetched, double seconds) {
      outcomes.in_place(plan.contents.info.images[i], fetched, seconds);
    });
    const raii::ScopeExit note([&] { m_run.report().bytes_moved += progress.moved(); });
    FetchReport fetched = fetch(plan, source.client(), *m_destination.writer(), progress,
                                {.jobs = m_settings.source.access.jobs,
                                 .keep_going = m_settings.source.keep_going,
                                 .one_large_at_a_time = fills_gaps,
                                 .stop = m_context.stop});
    m_context.console.end_transfers();
    m_run.report().blobs_moved += plan.fetch.size() - fetched.failed.size();
    return fetched;
  }

  // The selection alone, also where a directory keeps others beside it.
  void lock(const ExportPlan& plan, const PinnedImages& pinned, const Selection& selection) const {
    if (!selection.blobs.empty()) {
      throw diag::UsageError("--lock pins images, and a want-list names blobs",
                             "pull by the want-list as it is: it names them by digest");
    }
    std::set<image::Reference> selected;
    for (const PinnedImage& image : pinned.images) selected.insert(image.name);
    std::vector<bundle::Image> images = plan.contents.info.images;
    std::erase_if(images, [&](const bundle::Image& image) { return !selected.contains(image.name); });
    cli::write_report_file(m_settings.lock, write_lock(m_basis.names.mode, images), "lock");
    m_context.console.status(
        fmt::format("{}: {} pinned", m_settings.lock, text::counted(images.size(), "image")));
  }

  const ExportSettings& m_settings;
  cli::Context& m_context;
  Destination m_destination;
  PlanBasis m_basis;
  ExportPlanner m_planner{m_settings, m_basis, m_destination};
  cli::ReportedRun m_run;
};

}  // namespace

int run_export(const ExportSettings& settings, cli::Context& context) {
  return ExportRun(settings, context).run();
}

}  // namespace airgap::exporter
