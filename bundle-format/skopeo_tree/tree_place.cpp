#include "bundle-format/metadata/layout.hpp"
#include "bundle-format/partial_area.hpp"
#include "bundle-format/skopeo_tree/earlier_tree.hpp"
#include "bundle-format/skopeo_tree/layout.hpp"
#include "bundle-format/skopeo_tree/tree_writer.hpp"

namespace airgap::skopeo_tree {
namespace {

class TreePlace final : public bundle::BundlePlace {
 public:
  TreePlace(const std::string& path, const bundle::TreeOptions& options)
      : m_options(options), m_top(io::Directory::open(path)), m_earlier(earlier_tree(m_top)) {}

  const std::optional<bundle::BundleInfo>& existing() const override { return m_no_info; }
  const bundle::Image* existing_image(const image::Reference& name) const override {
    return m_earlier.image_in(folder_of(name, m_options.scoped));
  }
  bool finished() const override { return m_earlier.finished; }
  std::optional<std::string> existing_manifest(const hash::Digest& digest) const override {
    return m_earlier.manifest(m_top, digest);
  }
  bool has_blob(const bundle::Blob& blob) const override {
    const auto found = m_earlier.blobs.find(blob.digest);
    return found != m_earlier.blobs.end() && found->second.size == blob.size;
  }
  std::uint64_t partial_bytes(const bundle::Blob& blob) const override {
    return bundle::PartialArea::bytes_of(m_top, blob.digest, blob.size);
  }

 private:
  bundle::TreeOptions m_options;
  io::Directory m_top;
  EarlierTree m_earlier;
  std::optional<bundle::BundleInfo> m_no_info;
};

}  // namespace

std::unique_ptr<bundle::BundlePlace> look_at_tree(const std::string& path,
                                                  const bundle::TreeOptions& options) {
  return std::make_unique<TreePlace>(path, options);
}

}  // namespace airgap::skopeo_tree
