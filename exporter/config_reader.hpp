#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "common/image/descriptor.hpp"
#include "common/transport/image_source.hpp"

namespace airgap::exporter {

/// Reads configs, each once however many images name it at once, and keeps the small ones until they are
/// stored. Thread-safe.
class ConfigReader {
 public:
  /// The verified bytes. Throws UnsafeError above the limit for configs, and what the source throws.
  std::shared_ptr<const std::string> read(const image::Descriptor& config, transport::ImageSource& source);
  /// The small ones, by digest.
  std::map<hash::Digest, std::shared_ptr<const std::string>> kept() const;

 private:
  struct Slot {
    std::mutex mutex;  ///< held while the bytes are read, so that others wait for them
    std::shared_ptr<const std::string> bytes;
  };
  mutable std::mutex m_mutex;
  std::map<hash::Digest, std::unique_ptr<Slot>> m_slots;
  std::atomic<std::uint64_t> m_kept_bytes = 0;
};

}  // namespace airgap::exporter
