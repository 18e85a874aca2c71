#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "common/diag/error.hpp"
#include "common/diag/touching.hpp"
#include "common/io/stream.hpp"
#include "importer/disc_drive.hpp"

namespace airgap::importer {

/// Bytes from discs whose damage is said with the images that need them. A disc that nobody brings is none.
class NamedDamage final : public io::Source {
 public:
  /// `bytes` is borrowed.
  NamedDamage(io::Source& bytes, std::vector<std::string> images)
      : m_bytes(bytes), m_images(std::move(images)) {}

  std::size_t read(std::span<std::byte> out) override {
    try {
      return m_bytes.read(out);
    } catch (const NobodyAnswers&) {
      throw;
    } catch (const diag::IntegrityError& error) {
      throw diag::touching(error, m_images);
    }
  }
  void reject() override { m_bytes.reject(); }

 private:
  io::Source& m_bytes;
  std::vector<std::string> m_images;
};

}  // namespace airgap::importer
