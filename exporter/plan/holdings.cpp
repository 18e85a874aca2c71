#include "exporter/plan/holdings.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "common/diag/log.hpp"
#include "exporter/resolve/known_images.hpp"
#include "exporter/resolve/orphans.hpp"

namespace airgap::exporter {
namespace {

/// The manifests that an earlier run left, as a source.
class KeptManifests : public transport::ImageSource {
 public:
  explicit KeptManifests(const bundle::BundlePlace& place) : m_place(place) {}

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

}  // namespace

Holdings holdings_of(const bundle::BundlePlace& place, const PinnedImages& selected, bool keep_others,
                     image::NameMode names) {
  Holdings holdings;
  holdings.info = place.existing();
  if (const bundle::BundleInfo* begun = place.begun()) holdings.begun = *begun;
  holdings.finished = place.finished() && place.fits();
  holdings.has_blob = [&place](const bundle::Blob& blob) { return place.has_blob(blob); };
  holdings.partial_bytes = [&place](const bundle::Blob& blob) { return place.partial_bytes(blob); };
  if (!keep_others || !holdings.info) return holdings;

  std::set<image::Reference> replaced;
  for (const PinnedImage& image : selected.images) replaced.insert(image.name);
  KeptManifests manifests(place);
  for (const bundle::Image& image : holdings.info->images) {
    if (replaced.contains(image.name)) continue;
    holdings.kept.push_back(recall(image.name, image, manifests));
    if (holdings.info->names == names) holdings.kept.back().target = image.target;
  }
  for (const PinnedImage& orphan : drop_orphans(selected.images, holdings.kept)) {
    diag::log("plan", diag::LogLevel::info,
              fmt::format("{} leaves the bundle with {}, which it accompanied", orphan.name.str(),
                          orphan.subject->str()));
  }
  return holdings;
}

}  // namespace airgap::exporter
