#include "exporter/holdings.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "common/diag/log.hpp"
#include "exporter/known_images.hpp"

namespace airgap::exporter {
namespace {

/// The manifests that an earlier run left, as a source.
class KeptDocuments : public transport::ImageSource {
 public:
  explicit KeptDocuments(const bundle::BundlePlace& place) : m_place(place) {}

  std::string read_manifest(const image::Descriptor& wanted) override {
    if (auto bytes = m_place.existing_manifest(wanted.digest)) return std::move(*bytes);
    throw diag::IntegrityError("the existing bundle has lost manifest " + wanted.digest.str(),
                               "check it with 'airgap-export verify', or write to another place");
  }
  std::unique_ptr<io::Source> open_blob(const image::Descriptor& blob, std::uint64_t) override {
    throw diag::InternalError("blob " + blob.digest.str() + " of a kept image is not to be read");
  }

 private:
  const bundle::BundlePlace& m_place;
};

/// An accessory stays only as long as what it accompanies does: the signature of a tag's former image goes
/// with it.
void drop_orphans(const PinnedImages& selected, std::vector<PinnedImage>& kept) {
  std::set<hash::Digest> carried;
  const auto carry = [&](const PinnedImage& image) {
    carried.insert(image.source_digest);
    for (const auto& manifest : image.graph.manifests) carried.insert(manifest.descriptor.digest);
  };
  for (const PinnedImage& image : selected.images) carry(image);
  std::vector<PinnedImage> candidates = std::exchange(kept, {});
  for (bool more = true; more;) {  // once for each level of signatures of signatures
    more = false;
    std::vector<PinnedImage> rest;
    for (PinnedImage& image : candidates) {
      if (image.subject && !carried.contains(*image.subject)) {
        rest.push_back(std::move(image));
      } else {
        carry(image);
        kept.push_back(std::move(image));
        more = true;
      }
    }
    candidates = std::move(rest);
  }
  for (const PinnedImage& orphan : candidates) {
    diag::log("plan", diag::LogLevel::info,
              fmt::format("{} leaves the bundle with {}, which it accompanied", orphan.name.str(),
                          orphan.subject->str()));
  }
}

}  // namespace

Holdings holdings_of(const bundle::BundlePlace& place, const PinnedImages& selected, bool keep_others) {
  Holdings holdings;
  holdings.info = place.existing();
  holdings.finished = place.finished();
  holdings.has_blob = [&place](const bundle::Blob& blob) { return place.has_blob(blob); };
  holdings.partial_bytes = [&place](const bundle::Blob& blob) { return place.partial_bytes(blob); };
  if (!keep_others || !holdings.info) return holdings;

  std::set<image::Reference> replaced;
  for (const PinnedImage& image : selected.images) replaced.insert(image.name);
  KeptDocuments documents(place);
  for (const bundle::Image& image : holdings.info->images) {
    if (!replaced.contains(image.name)) holdings.kept.push_back(recall(image, documents));
  }
  drop_orphans(selected, holdings.kept);
  return holdings;
}

}  // namespace airgap::exporter
