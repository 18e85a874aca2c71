#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <unordered_map>
#include <vector>

#include "common/transport/observer.hpp"
#include "exporter/plan/plan.hpp"

namespace airgap::exporter {

/// Passes blob events on and tells when the last blob of an image is in place. Borrows plan and next.
/// Thread-safe.
class ImageProgress : public transport::Observer {
 public:
  /// `done` is told of an image's position in contents.info.images, whether anything of it was fetched, and
  /// the seconds since construction; from any thread.
  using Done = std::function<void(std::size_t image, bool fetched, double seconds)>;
  ImageProgress(const ExportPlan& plan, transport::Observer& next, Done done);

  void blob_started(const hash::Digest& digest, std::uint64_t size, std::uint64_t already) override;
  void blob_progress(const hash::Digest& digest, std::uint64_t moved) override;
  void blob_restarted(const hash::Digest& digest, std::uint64_t lost) override;
  void blob_rejected(const hash::Digest& digest, std::string_view why) override;  ///< warns
  void blob_finished(const hash::Digest& digest, std::uint64_t size, std::string_view outcome) override;

  std::uint64_t moved() const noexcept { return m_moved; }  ///< bytes that arrived, repeats included

 private:
  double seconds() const;

  const ExportPlan& m_plan;
  transport::Observer& m_next;
  Done m_done;
  std::chrono::steady_clock::time_point m_start = std::chrono::steady_clock::now();
  std::unordered_map<hash::Digest, std::vector<std::size_t>>
      m_images_of_blob;                             // of blobs still to come; never changed
  std::vector<std::atomic<std::size_t>> m_missing;  // blobs, by image
  std::atomic<std::uint64_t> m_moved = 0;
};

}  // namespace airgap::exporter
