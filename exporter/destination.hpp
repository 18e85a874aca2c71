#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>

#include "bundle-format/bundle_writer.hpp"
#include "exporter/export_settings.hpp"

namespace airgap::exporter {

/// Where the images of a run go: opened for writing, or only looked at. Borrows the settings.
class Destination {
 public:
  /// Opens nothing yet. Throws UsageError for a path that cannot be written, and for options that its form
  /// does not have.
  Destination(const ExportSettings& settings, std::stop_token stop);

  bundle::OutputForm form() const noexcept { return m_form; }
  /// In bytes; nothing where it is not written in volumes.
  std::optional<std::uint64_t> volume_size() const noexcept { return m_volume_size; }
  bool can_be_read_back() const noexcept;

  /// Opens it, or opens it anew: what arrived meanwhile is then there already.
  void open(image::NameMode names);
  /// From the next open() on an archive is written in volumes of at most so many bytes.
  void cut(std::uint64_t volume_size) noexcept { m_volume_size = volume_size; }

  /// As it is since open().
  const bundle::BundlePlace& place() const { return *m_place; }
  /// Null in a dry run, and where the medium is write-protected.
  bundle::BundleWriter* writer() const { return m_writer.get(); }

 private:
  bool is_write_protected() const;

  const ExportSettings& m_settings;
  std::stop_token m_stop;
  bundle::OutputForm m_form;
  std::optional<std::uint64_t> m_volume_size;
  std::unique_ptr<bundle::BundleWriter> m_writer;
  std::unique_ptr<bundle::BundlePlace> m_looked_at;
  const bundle::BundlePlace* m_place = nullptr;  ///< one of the two
};

}  // namespace airgap::exporter
