#pragma once

#include <optional>
#include <string>

#include "bundle-format/metadata/creation_time.hpp"
#include "common/image/mapping.hpp"
#include "exporter/destination.hpp"
#include "exporter/plan/other_side.hpp"
#include "exporter/plan/plan.hpp"
#include "exporter/plan/target.hpp"

namespace airgap::exporter {

/// What a run will do, and the medium that it does it on.
struct PlannedExport {
  ExportPlan plan;
  std::optional<Target> target;             ///< nothing for a pipe, and where no output is named
  std::optional<bundle::LeftFiles> left{};  ///< unfinished files beside a finished bundle that stays
};

/// What every plan of a run is made with.
struct PlanBasis {
  image::Mapping names;
  std::string creator;
  bundle::CreationTime created;
  std::optional<OtherSide> other_side{};  ///< of a delta
};

/// Plans for a destination, and refuses what must not be done to what lies there. Borrows all it is given.
class ExportPlanner {
 public:
  ExportPlanner(const ExportSettings& settings, const PlanBasis& basis, Destination& destination)
      : m_settings(settings), m_basis(basis), m_destination(destination) {}

  /// Opens the destination anew, in volumes, where its file system takes no file as long as the archive.
  /// Throws UsageError where a finished archive would be replaced, or a bundle thinned out, unasked; what
  /// make_plan() throws.
  PlannedExport plan(const PinnedImages& pinned);
  /// For the same destination, opened anew around what did not arrive.
  PlannedExport plan_rest(const PinnedImages& pinned);

 private:
  PlannedExport planned(const PinnedImages& pinned) const;
  std::optional<Target> target_of(const ExportPlan& plan) const;
  std::optional<bundle::OtherForm> unused() const;
  void refuse_replacing(const ExportPlan& plan) const;
  void refuse_thinning(const ExportPlan& plan) const;

  const ExportSettings& m_settings;
  const PlanBasis& m_basis;
  Destination& m_destination;
};

}  // namespace airgap::exporter
