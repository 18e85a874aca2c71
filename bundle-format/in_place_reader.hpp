#pragma once

#include <optional>
#include <string>
#include <vector>

#include "bundle-format/blob_lookup.hpp"
#include "bundle-format/bundle_reader.hpp"
#include "bundle-format/inspection.hpp"
#include "bundle-format/left_out.hpp"

namespace airgap::bundle {

/// A bundle on a medium, once its inspection has found nothing, or nothing about the images that are left.
class InPlaceReader : public BundleReader {
 public:
  /// `path` is what was named on the command line.
  InPlaceReader(Inspection inspection, std::string path, LeftOut left_out);

  const BundleInfo& info() const override { return *m_inspection.info; }
  std::string form() const override { return m_inspection.form; }
  const std::vector<BrokenImage>& broken() const override { return m_left_out.images; }
  const std::optional<diag::Error>& other_damage() const override { return m_left_out.others; }

  std::string read_manifest(const image::Descriptor& wanted) override;
  std::unique_ptr<io::Source> open_blob(const image::Descriptor& wanted, std::uint64_t offset) override;

 private:
  void refuse_damaged_manifests() const;

  const Inspection m_inspection;
  const std::string m_path;
  const LeftOut m_left_out;
  const BlobLookup m_blobs;
};

}  // namespace airgap::bundle
