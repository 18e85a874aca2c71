#include "importer/missing.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <map>
#include <set>
#include <utility>

#include "common/diag/error.hpp"
#include "common/json/writer.hpp"
#include "common/text/escape.hpp"
#include "common/text/human_size.hpp"

namespace airgap::importer {
namespace {

std::vector<std::string> names_of(const std::vector<std::size_t>& images, const delivery::Plan& plan) {
  std::vector<std::string> names;
  for (const std::size_t image : images) names.push_back(plan.placements[image].name.str());
  return names;
}

std::string as_event(const delivery::MissingBlob& missing, const std::vector<std::string>& names) {
  json::Writer writer(json::Writer::Style::compact);
  writer.begin_object().member("event", "missing").member("digest", missing.blob.digest.str());
  writer.member("size", missing.blob.size).key("images").begin_array();
  for (const std::string& name : names) writer.value(name);
  writer.end_array().end_object();
  return writer.str();
}

}  // namespace

delivery::RequiredBlobs required_of(const bundle::BundleInfo& info, const image::RegistryTarget& where,
                                    const std::optional<image::Mapping>& names) {
  delivery::RequiredBlobs required;
  for (const bundle::RequiredBlob& blob : info.requires_) {
    auto& seen_in = required.blobs[blob.digest];
    if (blob.repository.empty()) continue;
    const std::string path = where.prefix.empty() ? blob.repository : where.prefix + "/" + blob.repository;
    if (path.size() <= image::k_max_repository) seen_in = registry::Repository{where.registry, path};
  }
  for (const bundle::BaseImage& image : info.base) {
    try {
      required.base.push_back(names ? names->target(image.name, where) : where.place(image.target));
    } catch (const diag::FormatError&) {  // too long a name below this prefix: it is not there
    }
  }
  return required;
}

bundle::WantList want_list_of(const delivery::Plan& plan, const image::RegistryTarget& where) {
  std::map<image::Reference, bundle::WantedOfImage> images;
  for (const delivery::MissingBlob& missing : plan.missing) {
    const delivery::Placement& placement = plan.placements[missing.images.front()];
    std::string target = placement.repository.path;
    if (!where.prefix.empty()) target.erase(0, where.prefix.size() + 1);
    auto& image =
        images
            .try_emplace(placement.name,
                         bundle::WantedOfImage{placement.name, placement.digest, std::move(target), {}})
            .first->second;
    image.blobs.push_back(
        {missing.blob.digest, missing.blob.size, missing.blob.media_type, missing.blob.urls});
  }
  bundle::WantList list;
  for (auto& [name, image] : images) list.images.push_back(std::move(image));
  return list;
}

void print_missing(const delivery::Plan& plan, cli::Console& console) {
  for (const delivery::MissingBlob& missing : plan.missing) {
    const auto names = names_of(missing.images, plan);
    console.event(as_event(missing, names));
    console.result(fmt::format("missing {} ({}): {}", missing.blob.digest.str(),
                               text::human_size(missing.blob.size), fmt::join(names, ", ")));
  }
}

void refuse_missing(const delivery::Plan& plan, const image::RegistryTarget& where,
                    const std::string& written) {
  std::uint64_t bytes = 0;
  std::set<std::size_t> images;
  for (const delivery::MissingBlob& missing : plan.missing) {
    bytes += missing.blob.size;
    images.insert(missing.images.begin(), missing.images.end());
  }
  const std::string first = plan.placements[*images.begin()].name.str();
  const std::string touched =
      images.size() == 1 ? first : fmt::format("{} and {} more", first, images.size() - 1);
  throw diag::IntegrityError(
      fmt::format("{} has not all that this delta requires: it lacks {}, {}, of {}; nothing was written",
                  where.str(), text::counted(plan.missing.size(), "blob"), text::human_size(bytes), touched),
      written.empty()
          ? "push the bundles that it builds on there first (what other paths of the registry hold is not "
            "searched); or write down what is missing with --want-list FILE, "
            "for 'airgap-export pull --from FILE'"
          : fmt::format(
                "outside, 'airgap-export pull --from {} --output heal.tar' fetches just that: push it, "
                "then this delta again",
                text::escape(written)));
}

}  // namespace airgap::importer
