#include "exporter/image_progress.hpp"

#include <fmt/format.h>

#include "common/diag/log.hpp"

namespace airgap::exporter {

ImageProgress::ImageProgress(const ExportPlan& plan, transport::Observer& next, Done done)
    : m_plan(plan), m_next(next), m_done(std::move(done)), m_missing(plan.blobs_of_images.size()) {
  for (const bundle::Blob& blob : plan.fetch) m_images_of_blob[blob.digest];
  for (std::size_t image = 0; image < plan.blobs_of_images.size(); ++image) {
    for (const hash::Digest& digest : plan.blobs_of_images[image]) {
      const auto found = m_images_of_blob.find(digest);
      if (found == m_images_of_blob.end()) continue;
      found->second.push_back(image);
      ++m_missing[image];
    }
    if (m_missing[image] == 0) m_done(image, false, 0);
  }
}

double ImageProgress::seconds() const {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - m_start).count();
}

void ImageProgress::blob_started(const hash::Digest& digest, std::uint64_t size, std::uint64_t already) {
  m_next.blob_started(digest, size, already);
}

void ImageProgress::blob_progress(const hash::Digest& digest, std::uint64_t moved) {
  m_moved += moved;
  m_next.blob_progress(digest, moved);
}

void ImageProgress::blob_restarted(const hash::Digest& digest, std::uint64_t lost) {
  m_next.blob_restarted(digest, lost);
}

void ImageProgress::blob_rejected(const hash::Digest& digest, std::string_view why) {
  const auto origin = m_plan.origins.find(digest);
  const std::string of = origin == m_plan.origins.end() ? "" : " of " + origin->second.repository.str();
  diag::log("fetch", diag::LogLevel::warning,
            fmt::format("blob {}{}: {}; trying once more from zero", digest.str(), of, why));
  m_next.blob_rejected(digest, why);
}

void ImageProgress::blob_finished(const hash::Digest& digest, std::uint64_t size, std::string_view outcome) {
  m_next.blob_finished(digest, size, outcome);
  if (outcome == "failed") return;
  const auto found = m_images_of_blob.find(digest);
  if (found == m_images_of_blob.end()) return;
  for (const std::size_t image : found->second) {
    if (--m_missing[image] == 0) m_done(image, true, seconds());
  }
}

}  // namespace airgap::exporter
