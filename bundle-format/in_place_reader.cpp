#include "bundle-format/in_place_reader.hpp"

#include <fmt/format.h>

#include <utility>

#include "common/diag/error.hpp"

namespace airgap::bundle {
namespace {

/// The blobs that are read later are readable, so the list of them says nothing that info does not.
Inspection without_list(Inspection inspection) {
  inspection.findings.clear();
  inspection.readable = {};
  return inspection;
}

}  // namespace

InPlaceReader::InPlaceReader(Inspection inspection, std::string path, LeftOut left_out)
    : m_inspection(without_list(std::move(inspection))),
      m_path(std::move(path)),
      m_left_out(std::move(left_out)),
      m_blobs(*m_inspection.info) {}

std::string InPlaceReader::read_manifest(const image::Descriptor& wanted) {
  const Blob& blob = m_blobs.find(wanted);
  try {
    const auto bytes = m_inspection.blob_bytes(blob, 0);
    return read_verified(*bytes, blob);
  } catch (const diag::IntegrityError&) {
    if (m_left_out.images.empty()) refuse_damaged_manifests();
    throw;
  }
}

std::unique_ptr<io::Source> InPlaceReader::open_blob(const image::Descriptor& wanted, std::uint64_t offset) {
  const Blob& blob = m_blobs.find(wanted);
  if (offset > blob.stored_size)
    throw diag::InternalError(fmt::format("{} has no byte {}", blob.digest.str(), offset));
  return m_inspection.blob_bytes(blob, offset);
}

void InPlaceReader::refuse_damaged_manifests() const {
  Inspection bundle = m_inspection;
  bundle.readable = bundle.info->blobs;
  if (find_damaged_manifests(bundle)) refuse_damaged(bundle, m_path);
}

}  // namespace airgap::bundle
