#include "exporter/resolve/config_reader.hpp"

#include <fmt/format.h>

#include "common/diag/error.hpp"
#include "common/hash/verifying_source.hpp"
#include "common/image/image_config.hpp"

namespace airgap::exporter {
namespace {

constexpr int k_attempts = 2;                              // a proxy's copy may be stale once (R4)
constexpr std::uint64_t k_kept = std::uint64_t{64} << 10;  // bytes; most configs have a tenth of that

std::shared_ptr<const std::string> read_verified(const image::Descriptor& config,
                                                 transport::ImageSource& source) {
  if (config.size > image::k_max_config) {
    throw diag::UnsafeError(fmt::format("config {} announces {} bytes, over the limit of {}",
                                        config.digest.str(), config.size, image::k_max_config));
  }
  for (int attempt = 1;; ++attempt) {
    try {
      const auto bytes = source.open_blob(config, 0);
      hash::VerifyingSource verified(*bytes, config.digest, config.size);
      return std::make_shared<const std::string>(io::read_all(verified, image::k_max_config, "config"));
    } catch (hash::DigestMismatch& error) {
      error.add_context("reading the image's config");
      if (attempt == k_attempts) throw;
    }
  }
}

}  // namespace

std::shared_ptr<const std::string> ConfigReader::read(const image::Descriptor& config,
                                                      transport::ImageSource& source) {
  if (config.size > k_kept) return read_verified(config, source);
  return m_kept.get(config.digest, [&] { return read_verified(config, source); });
}

}  // namespace airgap::exporter
