#include "exporter/image_outcomes.hpp"

#include <utility>

namespace airgap::exporter {

void ImageOutcomes::in_place(const bundle::Image& image, bool fetched, double seconds) {
  const std::string outcome = !fetched && was_there(image) ? "unchanged" : "fetched";
  if (!first_told(image.name)) return;
  add(image, outcome, seconds);
  m_console.image_finished(image.name.str(), outcome, image.bytes, seconds);
}

void ImageOutcomes::left_out(const image::Reference& name, const diag::Error& cause) {
  cli::ImageOutcome outcome;
  outcome.name = name.str();
  m_run.fail(std::move(outcome), "is left out", cause);
  first_told(name);
}

void ImageOutcomes::planned(const ExportPlan& plan) {
  for (const bundle::Image& image : plan.contents.info.images) add(image, "planned", 0);
}

void ImageOutcomes::unfinished(const ExportPlan& plan) {
  for (const bundle::Image& image : plan.contents.info.images) {
    if (first_told(image.name)) add(image, "unfinished", 0);
  }
}

bool ImageOutcomes::was_there(const bundle::Image& image) const {
  if (m_other_side != nullptr && m_other_side->has(image)) return true;
  const bundle::BundlePlace& place = m_destination.place();
  const bundle::Image* earlier = place.finished() ? place.existing_image(image.name) : nullptr;
  return earlier != nullptr && earlier->digest == image.digest;
}

bool ImageOutcomes::first_told(const image::Reference& name) {
  const std::scoped_lock lock(m_mutex);
  return m_told.insert(name).second;
}

void ImageOutcomes::add(const bundle::Image& image, const std::string& outcome, double seconds) {
  cli::ImageOutcome done;
  done.name = image.name.str();
  done.digest = image.digest.str();
  done.bytes = image.bytes;
  done.outcome = outcome;
  done.seconds = seconds;
  done.notes = m_source.notes_of(image.name);
  m_run.add(std::move(done));
}

}  // namespace airgap::exporter
