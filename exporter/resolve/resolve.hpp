#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "bundle-format/metadata/contents.hpp"
#include "common/diag/error.hpp"
#include "common/registry/registry_client.hpp"
#include "common/transport/image_graph.hpp"
#include "exporter/resolve/tag_lists.hpp"
#include "exporter/select/select.hpp"

namespace airgap::exporter {

/// An image whose name stands for fixed content: every manifest is at hand, no layer has moved.
struct PinnedImage {
  image::Reference name;
  registry::Repository repository;  ///< where its blobs come from
  hash::Digest source_digest;       ///< what the name stood for in the registry
  transport::ImageGraph graph;      ///< what is carried under the name; empty for an image in place
  std::vector<image::Platform> platforms;
  std::string platform_choice;
  std::optional<std::string> target{};            ///< inside, where that is settled; --map goes before it
  std::optional<hash::Digest> subject;            ///< the image that a referrer or cosign tag accompanies
  std::optional<image::Reference> accompanies{};  ///< what was asked for, and this was found with
  std::optional<bundle::DockerImage> docker;
  bundle::Signatures signatures{};  ///< of lookaside storage
  std::vector<std::string> notes;   ///< what an operator should know: a narrowed index, a missing platform
  std::optional<image::Descriptor> in_place{};  ///< the root, where it goes to an image that is known whole
  std::optional<image::Descriptor> referrer{};  ///< as the list of the subject's referrers shows it
  std::optional<WantedBlobs> wanted{};          ///< no image, but what carries these

  const image::Descriptor& root() const { return in_place ? *in_place : graph.root().descriptor; }
};

/// An image that could not be resolved.
struct FailedImage {
  std::string name;
  diag::Error error;
};

struct PinnedImages {
  std::vector<PinnedImage> images;  ///< accessories follow the image they accompany
  std::vector<FailedImage> failed;  ///< only with keep_going
  /// Small configs that were read to learn a platform; fetched a second time by nobody.
  std::map<hash::Digest, std::shared_ptr<const std::string>> configs;
};

/// Source names, in the same order.
std::vector<image::Reference> names_of(const PinnedImages& pinned);

/// What the place that the images go to (an earlier bundle, a registry) knows, so that an unchanged tag costs
/// one HEAD.
struct KnownImages {
  /// The recorded image of that name; null when there is none. Where it goes may depend on what it
  /// accompanies; null for what was asked for itself.
  std::function<const bundle::Image*(const image::Reference& name, const image::Reference* accompanied)> find;
  /// The bytes of a manifest it holds, verified.
  std::function<std::optional<std::string>(const hash::Digest&)> manifest;
  /// A known image is there with all that it names: it is not read.
  bool whole = false;
};

struct ResolveOptions {
  std::size_t jobs = 6;
  bool referrers = true;
  bool keep_going = false;
  std::stop_token stop;
  std::function<void()> image_done;  ///< progress; from any thread
};

/// Pins every image of the selection and finds what travels with it: signatures, SBOMs, attestations. Throws
/// the first failure, with the image's name as context, unless keep_going. `tags` may know lists already.
PinnedImages resolve(const Selection& selection, registry::RegistryClient& client, TagLists& tags,
                     const KnownImages& known, const ResolveOptions& options);

}  // namespace airgap::exporter
