#include "exporter/config_reader.hpp"

#include <fmt/format.h>

#include "common/diag/error.hpp"
#include "common/hash/verifying_source.hpp"
#include "common/image/image_config.hpp"

namespace airgap::exporter {
namespace {

constexpr int k_attempts = 2;                                    // a proxy's copy may be stale once (R4)
constexpr std::uint64_t k_kept = std::uint64_t{64} << 10;        // bytes; most configs have a tenth of that
constexpr std::uint64_t k_kept_in_all = std::uint64_t{8} << 20;  // bytes; what is beyond is fetched again

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
  Slot* slot = nullptr;
  {
    const std::scoped_lock lock(m_mutex);
    std::unique_ptr<Slot>& place = m_slots[config.digest];
    if (!place) place = std::make_unique<Slot>();
    slot = place.get();
  }
  const std::scoped_lock lock(slot->mutex);
  if (slot->bytes) return slot->bytes;
  auto bytes = read_verified(config, source);
  if ((m_kept_bytes += bytes->size()) <= k_kept_in_all) slot->bytes = bytes;
  return bytes;
}

std::map<hash::Digest, std::shared_ptr<const std::string>> ConfigReader::kept() const {
  const std::scoped_lock lock(m_mutex);
  std::map<hash::Digest, std::shared_ptr<const std::string>> all;
  for (const auto& [digest, slot] : m_slots) {
    const std::scoped_lock slot_lock(slot->mutex);
    if (slot->bytes) all.emplace(digest, slot->bytes);
  }
  return all;
}

}  // namespace airgap::exporter
