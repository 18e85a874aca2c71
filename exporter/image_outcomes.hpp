#pragma once

#include <cstddef>
#include <mutex>
#include <set>
#include <string>

#include "common/cli/console.hpp"
#include "common/cli/reported_run.hpp"
#include "exporter/destination.hpp"
#include "exporter/plan/plan.hpp"

namespace airgap::exporter {

/// What becomes of each image, told once, to the report and on the console. Borrows all it is given.
class ImageOutcomes {
 public:
  /// `other_side` is null unless a delta is made.
  ImageOutcomes(cli::ReportedRun& run, cli::Console& console, const SourceImages& source,
                const OtherSide* other_side, const Destination& destination)
      : m_run(run),
        m_console(console),
        m_source(source),
        m_other_side(other_side),
        m_destination(destination) {}

  /// All that the image names is in place; some of it was fetched just now. Thread-safe; an image that was
  /// told already is passed over.
  void in_place(const bundle::Image& image, bool fetched, double seconds);
  /// Given up under --keep-going.
  void left_out(const image::Reference& name, const diag::Error& cause);
  /// Every image of the plan: a dry run's end.
  void planned(const ExportPlan& plan);
  /// Every image of the plan that nothing was told of: the report has every image, whatever ends the run.
  void unfinished(const ExportPlan& plan);

 private:
  bool was_there(const bundle::Image& image) const;
  bool first_told(const image::Reference& name);
  void add(const bundle::Image& image, const std::string& outcome, double seconds);

  cli::ReportedRun& m_run;
  cli::Console& m_console;
  const SourceImages& m_source;
  const OtherSide* m_other_side;
  const Destination& m_destination;
  std::mutex m_mutex;
  std::set<image::Reference> m_told;
};

}  // namespace airgap::exporter
