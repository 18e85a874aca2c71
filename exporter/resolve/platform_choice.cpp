#include "exporter/resolve/platform_choice.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <set>

#include "common/diag/error.hpp"
#include "common/hash/hasher.hpp"

namespace airgap::exporter {
namespace {

// An attestation says unknown/unknown: it belongs to a platform, but is none.
bool is_runnable(const image::Descriptor& child) {
  return child.platform && child.platform->os != "unknown";
}

std::vector<std::string> platform_names(const image::Index& index) {
  std::set<std::string> names;
  for (const image::Descriptor& child : index.manifests) {
    if (is_runnable(child)) names.insert(child.platform->str());
  }
  return {names.begin(), names.end()};
}

// buildx hangs attestations beside the manifests they speak of; they travel with those in a narrowed index.
void add_attestations(const image::Index& index, std::vector<image::Descriptor>& chosen) {
  std::set<std::string> digests;
  for (const image::Descriptor& child : chosen) digests.insert(child.digest.str());
  for (const image::Descriptor& child : index.manifests) {
    const auto subject = child.annotations.find("vnd.docker.reference.digest");
    if (subject != child.annotations.end() && !is_runnable(child) && digests.contains(subject->second)) {
      chosen.push_back(child);
    }
  }
}

void note_missing(const image::PlatformFilter& filter, const std::vector<image::Descriptor>& chosen,
                  std::vector<std::string>& notes) {
  for (const image::Platform& wanted : filter.platforms) {
    const image::PlatformFilter one{.all = false, .platforms = {wanted}};
    bool found = false;
    for (const image::Descriptor& child : chosen) found = found || one.matches(*child.platform);
    if (!found) notes.push_back("has no " + wanted.str());
  }
}

}  // namespace

NoSuchPlatform::NoSuchPlatform(const image::PlatformFilter& wanted, const std::string& available)
    : KindError(fmt::format("there is no {} in the image; it has {}", wanted.str(), available),
                "choose one with --platform, or take all of them with --platform all") {}

PlatformChoice choose_platforms(const image::Index& index, const image::Descriptor& root,
                                const image::PlatformFilter& filter) {
  const std::vector<std::string> available = platform_names(index);
  // An index of artifacts (signatures, say) has no platforms to choose from and travels whole.
  if (filter.all || available.empty()) return {.root = root, .written_index = {}, .notes = {}};

  std::vector<image::Descriptor> chosen;
  for (const image::Descriptor& child : index.manifests) {
    if (is_runnable(child) && filter.matches(*child.platform)) chosen.push_back(child);
  }
  if (chosen.empty()) {
    throw NoSuchPlatform(filter, fmt::format("{}", fmt::join(available, ", ")));
  }
  PlatformChoice choice{.root = chosen.front(), .written_index = {}, .notes = {}};
  note_missing(filter, chosen, choice.notes);
  if (filter.platforms.size() == 1) return choice;

  add_attestations(index, chosen);
  if (chosen.size() == index.manifests.size()) {
    choice.root = root;  // everything in it was chosen: it keeps its bytes
    return choice;
  }
  choice.written_index = image::write_index(index, chosen);
  choice.root = image::Descriptor{root.media_type, hash::sha256_of(*choice.written_index),
                                  choice.written_index->size()};
  std::set<std::string> carried;
  for (const image::Descriptor& child : chosen) {
    if (is_runnable(child)) carried.insert(child.platform->str());
  }
  choice.notes.push_back(fmt::format("its index was narrowed to {}: the tag gets {} instead of {}",
                                     fmt::join(carried, ","), choice.root.digest.str(), root.digest.str()));
  return choice;
}

}  // namespace airgap::exporter
