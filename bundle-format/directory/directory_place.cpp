#include "bundle-format/directory/directory_place.hpp"

#include "bundle-format/directory/directory_survey.hpp"
#include "bundle-format/partial_area.hpp"

namespace airgap::bundle {
namespace {

class DirectoryPlace final : public BundlePlace {
 public:
  explicit DirectoryPlace(const std::string& path)
      : m_root(io::Directory::open(path)), m_survey(survey_directory(m_root)) {}

  const std::optional<BundleInfo>& existing() const override { return m_survey.info; }
  bool finished() const override { return m_survey.finished; }
  std::optional<std::string> existing_manifest(const hash::Digest& digest) const override {
    return published_manifest(m_root, digest);
  }
  bool has_blob(const Blob& blob) const override {
    const auto found = m_survey.blobs.find(blob_path(blob.digest));
    return found != m_survey.blobs.end() && found->second == blob.stored_size;
  }
  std::uint64_t partial_bytes(const Blob& blob) const override {
    return PartialArea::bytes_of(m_root, blob.digest, blob.size);
  }

 private:
  io::Directory m_root;
  DirectorySurvey m_survey;
};

}  // namespace

std::unique_ptr<BundlePlace> look_at_directory(const std::string& path) {
  return std::make_unique<DirectoryPlace>(path);
}

}  // namespace airgap::bundle
