#pragma once

#include <map>
#include <memory>
#include <string>

#include "common/image/descriptor.hpp"
#include "common/transport/image_source.hpp"
#include "exporter/resolve/kept_documents.hpp"

namespace airgap::exporter {

/// Reads configs, each once however many images name it at once, and keeps the small ones until they are
/// stored. Thread-safe.
class ConfigReader {
 public:
  /// The verified bytes. Throws UnsafeError above the limit for configs, and what the source throws.
  std::shared_ptr<const std::string> read(const image::Descriptor& config, transport::ImageSource& source);
  /// The small ones, by digest.
  std::map<hash::Digest, std::shared_ptr<const std::string>> kept() const { return m_kept.all(); }

 private:
  KeptDocuments<hash::Digest, std::string> m_kept{std::uint64_t{8} << 20, &std::string::size};
};

}  // namespace airgap::exporter
