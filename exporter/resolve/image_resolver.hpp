#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "exporter/resolve/config_reader.hpp"
#include "exporter/resolve/document_source.hpp"
#include "exporter/resolve/resolve.hpp"
#include "exporter/resolve/tag_lists.hpp"

namespace airgap::exporter {

/// Pins one image after another; what they share (tag lists, manifests, small configs) is asked
/// for once. Thread-safe.
class ImageResolver {
 public:
  /// All are borrowed.
  ImageResolver(const Selection& selection, registry::RegistryClient& client, TagLists& tags,
                const KnownImages& known);

  /// The image itself, then, with `referrers`, what accompanies it: referrers by the API or their fallback
  /// tag, and cosign tags, of the image's every manifest, and of those in turn. An image of a lock is taken
  /// as the lock says, and alone; throws UsageError where that cannot come out.
  std::vector<PinnedImage> resolve(const Wanted& wanted, bool referrers);

  /// Small configs that were read on the way.
  std::map<hash::Digest, std::shared_ptr<const std::string>> configs() const { return m_configs.kept(); }

 private:
  struct Root;
  struct Visit;
  PinnedImage pin(const image::Reference& name, DocumentSource& documents,
                  const image::PlatformFilter& filter, const image::Reference* accompanied);
  PinnedImage pin_known(const image::Reference& name, const bundle::Image& image, DocumentSource& documents);
  std::optional<registry::FetchedManifest> known_root(const hash::Digest& digest) const;
  registry::FetchedManifest read_root(const image::Reference& name, const hash::Digest& digest);
  PinnedImage pin_locked(const image::Reference& name, const Pin& pin, DocumentSource& documents);
  registry::FetchedManifest read_locked(const image::Reference& name, const Pin& pin);
  PinnedImage pin_read(const image::Reference& name, registry::FetchedManifest read,
                       DocumentSource& documents, const image::PlatformFilter& filter,
                       const bundle::Image* known);
  void learn_platform(PinnedImage& image, DocumentSource& documents, const image::PlatformFilter& filter);
  void add_accessories(const hash::Digest& subject, Visit& visit, std::vector<PinnedImage>& found);
  std::vector<image::Descriptor> referrers_of(const hash::Digest& subject, Visit& visit);
  std::vector<std::string> tags_about(const hash::Digest& subject,
                                      Visit& visit);  ///< cosign's; fallback tags
  void add_accessories_of_children(const image::Descriptor& root, Visit& visit,
                                   std::vector<PinnedImage>& found);

  const Selection& m_selection;
  registry::RegistryClient& m_client;
  TagLists& m_tags;
  const KnownImages& m_known;
  RegistryManifests m_manifests;
  ConfigReader m_configs;
};

}  // namespace airgap::exporter
