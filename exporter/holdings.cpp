#include "exporter/holdings.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "exporter/docker_entry.hpp"

namespace airgap::exporter {
namespace {

/// The manifests that an earlier run left, as a source.
class KeptDocuments : public transport::ImageSource {
 public:
  explicit KeptDocuments(const bundle::BundleWriter& writer) : m_writer(writer) {}

  std::string read_manifest(const image::Descriptor& wanted) override {
    if (auto bytes = m_writer.existing_manifest(wanted.digest)) return std::move(*bytes);
    throw diag::IntegrityError("the existing bundle has lost manifest " + wanted.digest.str(),
                               "check it with 'airgap-export verify', or write to another place");
  }
  std::unique_ptr<io::Source> open_blob(const image::Descriptor& blob, std::uint64_t) override {
    throw diag::InternalError("blob " + blob.digest.str() + " of a kept image is not to be read");
  }

 private:
  const bundle::BundleWriter& m_writer;
};

PinnedImage keep(const bundle::Image& image, KeptDocuments& documents) {
  PinnedImage kept{.name = image.name,
                   .repository = {image.name.registry, image.name.repository},
                   .source_digest = image.source_digest,
                   .graph = transport::load_graph(documents, {image.media_type, image.digest, image.size}),
                   .platforms = image.platforms,
                   .platform_choice = image.platform_choice,
                   .subject = image.subject,
                   .docker = {},
                   .notes = {}};
  kept.docker = docker_entry(kept);
  return kept;
}

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
}

}  // namespace

KnownImages known_images(const bundle::BundleWriter& writer) {
  KnownImages known;
  known.find = [&writer](const image::Reference& name) { return writer.existing_image(name); };
  known.manifest = [&writer](const hash::Digest& digest) { return writer.existing_manifest(digest); };
  return known;
}

Holdings holdings_of(const bundle::BundleWriter& writer, const PinnedImages& selected, bool keep_others) {
  Holdings holdings;
  holdings.info = writer.existing();
  holdings.finished = writer.finished();
  holdings.has_blob = [&writer](const bundle::Blob& blob) { return writer.has_blob(blob); };
  holdings.partial_bytes = [&writer](const bundle::Blob& blob) { return writer.partial_bytes(blob); };
  if (!keep_others || !holdings.info) return holdings;

  std::set<image::Reference> replaced;
  for (const PinnedImage& image : selected.images) replaced.insert(image.name);
  KeptDocuments documents(writer);
  for (const bundle::Image& image : holdings.info->images) {
    if (!replaced.contains(image.name)) holdings.kept.push_back(keep(image, documents));
  }
  drop_orphans(selected, holdings.kept);
  return holdings;
}

}  // namespace airgap::exporter
