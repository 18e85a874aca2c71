#include "exporter/export_planner.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

#include "bundle-format/skopeo_tree/tree_writer.hpp"
#include "common/diag/error.hpp"
#include "exporter/plan/holdings.hpp"

namespace airgap::exporter {

PlannedExport ExportPlanner::plan(const PinnedImages& pinned) {
  PlannedExport planned = this->planned(pinned);
  refuse_replacing(planned.plan);
  if (!planned.target || !must_be_cut(*planned.target)) return planned;
  m_destination.cut(io::k_repairable_fat_file);
  m_destination.open(m_basis.names.mode);
  planned = this->planned(pinned);
  refuse_replacing(planned.plan);
  return planned;
}

PlannedExport ExportPlanner::plan_rest(const PinnedImages& pinned) {
  m_destination.open(m_basis.names.mode);
  return planned(pinned);
}

PlannedExport ExportPlanner::planned(const PinnedImages& pinned) const {
  const image::NameMode names = m_basis.names.mode;
  if (m_destination.form() == bundle::OutputForm::skopeo_tree) {
    skopeo_tree::check_folders(names_of(pinned), names == image::NameMode::scoped);
  }
  const bool directory = m_destination.form() == bundle::OutputForm::directory;
  Holdings holdings = holdings_of(m_destination.place(), pinned, directory && !m_settings.prune, names);
  holdings.number_used = m_destination.place().finished() || directory;
  PlannedExport planned{
      .plan = make_plan(pinned, holdings,
                        {.names = m_basis.names,
                         .creator = m_basis.creator,
                         .created = m_basis.created.text,
                         .new_stream = m_basis.created.fixed ? derived_stream(pinned) : random_stream(),
                         .other_side = m_basis.other_side ? &*m_basis.other_side : nullptr}),
      .target = std::nullopt};
  if (directory) refuse_thinning(planned.plan);
  planned.target = target_of(planned.plan);
  if (planned.plan.unchanged) planned.left = m_destination.place().left_beside();
  return planned;
}

std::optional<Target> ExportPlanner::target_of(const ExportPlan& plan) const {
  const bool pipe = m_destination.form() == bundle::OutputForm::pipe;
  if (m_settings.output.empty() && !m_destination.volume_size()) return std::nullopt;
  auto medium = m_settings.output.empty() ? std::nullopt : bundle::medium_of_output(m_settings.output);
  const bool archive = bundle::is_archive(m_destination.form());
  return with_needs({.path = !medium ? ""
                             : pipe  ? "standard output"
                                     : m_settings.output,
                     .form = m_destination.form(),
                     .volume_size = m_destination.volume_size(),
                     .volumes_there = m_destination.place().finished_volumes(),
                     .medium = medium.value_or(io::Medium{}),
                     .replaces = archive && m_destination.place().finished() && m_settings.overwrite,
                     .doubled = archive ? m_destination.place().doubled_bytes(plan.contents) : 0,
                     .occupied =
                         [this](const bundle::Contents& wanted, std::uint64_t length) {
                           return m_destination.place().occupied_bytes(wanted, length);
                         },
                     .unused = unused()},
                    plan);
}

std::optional<bundle::OtherForm> ExportPlanner::unused() const {
  using bundle::ArchiveKind;
  if (!bundle::is_archive(m_destination.form()) || m_settings.output.empty()) return std::nullopt;
  const ArchiveKind kind = m_destination.volume_size() ? ArchiveKind::volumes
                           : m_destination.form() == bundle::OutputForm::compressed_archive
                               ? ArchiveKind::compressed
                               : ArchiveKind::one_file;
  return bundle::left_in_other_form(m_settings.output, kind);
}

// A dry run says so too.
void ExportPlanner::refuse_replacing(const ExportPlan& plan) const {
  const bool archive = bundle::is_archive(m_destination.form());
  if (!archive || !m_destination.place().finished() || plan.unchanged) return;
  if (!m_settings.overwrite)
    bundle::refuse_to_replace(m_settings.output, *m_destination.place().existing(), plan.contents.info);
}

// A whole bundle in a directory is not to be thinned out by mistake.
void ExportPlanner::refuse_thinning(const ExportPlan& plan) const {
  const bundle::BundlePlace& place = m_destination.place();
  if (!m_basis.other_side || m_settings.prune || !place.finished() || !place.existing()) return;
  std::set<hash::Digest> held;
  for (const bundle::Blob& blob : place.existing()->blobs) held.insert(blob.digest);
  for (const bundle::RequiredBlob& blob : plan.contents.info.requires_) {
    if (!held.contains(blob.digest)) continue;
    throw diag::UsageError(
        fmt::format("{} holds {}, which --since would leave out", m_settings.output, blob.digest.str()),
        "write the delta to a place of its own, or take such blobs out of the bundle with --prune");
  }
}

}  // namespace airgap::exporter
