#include "common/transport/image_graph.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <map>
#include <set>
#include <utility>

#include "common/diag/error.hpp"
#include "common/hash/verifying_source.hpp"
#include "common/image/manifest.hpp"
#include "common/image/media_type.hpp"
#include "common/text/escape.hpp"

namespace airgap::transport {
namespace {

constexpr int k_max_nesting = 8;  // R46

std::uint64_t saturating_sum(std::uint64_t a, std::uint64_t b) {
  return b > std::numeric_limits<std::uint64_t>::max() - a ? std::numeric_limits<std::uint64_t>::max()
                                                           : a + b;
}

/// Builds the graph, depth first. What was seen of a digest must be the same everywhere in the image.
class GraphLoader {
 public:
  explicit GraphLoader(ImageSource& source) : m_source(source) {}

  ImageGraph load(const image::Descriptor& root) && {
    add_document(root, 0);
    return std::move(m_graph);
  }

 private:
  // True for a runnable image, so that its index's word on the platform counts.
  bool add_document(const image::Descriptor& descriptor, int depth) {
    if (depth > k_max_nesting) {
      throw diag::UnsafeError(
          fmt::format("{} nests indexes more than {} deep", descriptor.digest.str(), k_max_nesting));
    }
    count(descriptor);
    const auto known = m_documents.find(descriptor.digest);
    if (known != m_documents.end()) return check_same_type(descriptor, known->second);
    m_documents.emplace(descriptor.digest, Document{descriptor.media_type, false});
    ManifestDocument document{descriptor,
                              std::make_shared<const std::string>(m_source.read_manifest(descriptor))};
    check_size(document);
    const bool runnable =
        diag::with_context([&] { return fmt::format("reading {}", descriptor.digest.str()); },
                           [&] { return add_named(document, depth); });
    m_documents.at(descriptor.digest).runnable = runnable;
    m_graph.manifests.push_back(std::move(document));
    return runnable;
  }

  // Wherever the bytes came from: a reader of the bundle holds the index against them too.
  static void check_size(ManifestDocument& document) {
    const std::uint64_t size = document.bytes->size();
    if (document.descriptor.size != 0 && document.descriptor.size != size) {
      throw hash::DigestMismatch(fmt::format("{} has {} bytes, and {} were declared",
                                             document.descriptor.digest.str(), size,
                                             document.descriptor.size));
    }
    document.descriptor.size = size;
  }

  // What the document names, if it is of a type that names anything (R48).
  bool add_named(const ManifestDocument& document, int depth) {
    const image::Descriptor& descriptor = document.descriptor;
    if (!image::manifest_kind(descriptor.media_type)) return false;
    const image::ParsedManifest parsed = image::parse_manifest(*document.bytes, {}, descriptor.media_type);
    if (const image::Index* index = parsed.index()) {
      for (const image::Descriptor& child : index->manifests) add_child(child, depth + 1);
      return false;
    }
    const image::Manifest& manifest = *parsed.image();
    if (manifest.config) add_blob(*manifest.config, m_graph.configs);
    for (const image::Descriptor& layer : manifest.layers) add_blob(layer, m_graph.layers);
    return manifest.is_runnable();
  }

  void add_child(const image::Descriptor& child, int depth) {
    const bool runnable = add_document(child, depth);
    if (!runnable || !child.platform || child.platform->os == "unknown") return;
    auto& platforms = m_graph.platforms;
    if (std::find(platforms.begin(), platforms.end(), *child.platform) == platforms.end()) {
      platforms.push_back(*child.platform);
    }
  }

  void add_blob(const image::Descriptor& blob, std::vector<image::Descriptor>& list) {
    count(blob);
    if (m_blobs.insert(blob.digest).second) list.push_back(blob);
  }

  void count(const image::Descriptor& descriptor) {
    if (++m_descriptors > image::k_max_descriptors) {
      throw diag::UnsafeError(
          fmt::format("the image names more than {} documents and blobs", image::k_max_descriptors));
    }
    const auto [known, is_new] = m_sizes.emplace(descriptor.digest, descriptor.size);
    if (is_new || known->second == descriptor.size) return;
    throw diag::UnsafeError(fmt::format("{} is listed with {} bytes and with {} bytes",
                                        descriptor.digest.str(), known->second, descriptor.size));
  }

  struct Document {
    std::string media_type;
    bool runnable;
  };

  static bool check_same_type(const image::Descriptor& descriptor, const Document& known) {
    if (descriptor.media_type == known.media_type) return known.runnable;
    throw diag::UnsafeError(fmt::format("{} is listed as '{}' and as '{}'", descriptor.digest.str(),
                                        text::escape(known.media_type), text::escape(descriptor.media_type)));
  }

  ImageSource& m_source;
  ImageGraph m_graph;
  std::size_t m_descriptors = 0;
  std::map<hash::Digest, std::uint64_t> m_sizes;
  std::map<hash::Digest, Document> m_documents;  // those that are in the graph or being read
  std::set<hash::Digest> m_blobs;
};

}  // namespace

std::uint64_t ImageGraph::bytes() const {
  std::uint64_t total = 0;
  for (const ManifestDocument& document : manifests) total = saturating_sum(total, document.bytes->size());
  for (const image::Descriptor& config : configs) total = saturating_sum(total, config.size);
  for (const image::Descriptor& layer : layers) total = saturating_sum(total, layer.size);
  return total;
}

ImageGraph load_graph(ImageSource& source, const image::Descriptor& root) {
  return GraphLoader(source).load(root);
}

}  // namespace airgap::transport
