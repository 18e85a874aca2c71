#include "exporter/select/lock_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "bundle-format/metadata/json_values.hpp"
#include "common/diag/error.hpp"
#include "common/json/reader.hpp"
#include "common/json/writer.hpp"
#include "common/text/escape.hpp"

namespace airgap::exporter {
namespace {

using bundle::digest_at;
using bundle::name_at;
using bundle::parsed;
using bundle::target_at;
using json::Node;

constexpr std::uint64_t k_format = 1;  // written, and the highest that is read
constexpr std::array<std::string_view, 6> k_known{"kind", "format", "needs", "critical", "names", "images"};
constexpr std::size_t k_max_bytes = std::size_t{16} << 20;  // as of every list: some 50,000 images

image::PlatformFilter platforms_at(const Node& node) {
  image::PlatformFilter filter = parsed(node, &image::PlatformFilter::parse);
  if (filter.str() != node.string()) node.fail(fmt::format("it is written '{}'", filter.str()));
  return filter;
}

Wanted image_at(const Node& node, const std::string& file) {
  Wanted image{.name = name_at(node.at("name")),
               .pin = Pin{.source = digest_at(node.at("sourceDigest")),
                          .carried = digest_at(node.at("digest")),
                          .platforms = platforms_at(node.at("platformChoice")),
                          .target = target_at(node.at("target")),
                          .subject = {},
                          .lock = file}};
  if (const auto subject = node.find("subject")) image.pin->subject = digest_at(*subject);
  if (image.name.digest && *image.name.digest != image.pin->source) {
    node.at("sourceDigest").fail("it is not the digest in the name");
  }
  if (image.pin->platforms.all && image.pin->source != image.pin->carried) {
    node.at("digest").fail("it is not sourceDigest, and all platforms were chosen");
  }
  return image;
}

void refuse_newer(const Node& root) {
  const auto needs = root.find("needs");
  const std::string remedy =
      fmt::format("this lock needs {}",
                  needs && needs->is_string() ? text::escape(needs->string()) : "a newer airgap-export");
  const std::uint64_t format = root.at("format").uint64();
  if (format == 0 || format > k_format) {
    throw diag::UsageError(
        fmt::format("it has format {}, and this program reads format {}", format, k_format), remedy);
  }
  const auto critical = root.find("critical");
  if (!critical) return;
  for (const std::string& name : critical->string_list()) {
    if (std::find(k_known.begin(), k_known.end(), name) != k_known.end()) continue;
    throw diag::UsageError(
        fmt::format("it has a critical member '{}' that this program does not know", text::escape(name)),
        remedy);
  }
}

Lock lock_of(const Node& root, const std::string& file) {
  if (const auto kind = root.find("kind"); !kind || kind->string() != k_lock_kind) {
    throw diag::FormatError("this is no lock");
  }
  refuse_newer(root);
  Lock lock{.names = parsed(root.at("names"), &image::parse_name_mode), .images = {}};
  std::set<image::Reference> seen;
  for (const Node& node : bundle::list_at(root.at("images"), bundle::k_max_images)) {
    lock.images.push_back(image_at(node, file));
    if (!seen.insert(lock.images.back().name).second) node.at("name").fail("it is there twice");
  }
  if (lock.images.empty()) root.at("images").fail("it is empty");
  return lock;
}

}  // namespace

Lock parse_lock(std::string_view text, const std::string& file) {
  try {
    const auto document = json::Document::parse(text, {.bytes = k_max_bytes});
    return lock_of(document.root(), file);
  } catch (const diag::FormatError& error) {
    throw diag::UsageError(fmt::format("bad lock {}: {}", file, error.message()),
                           "make it anew with airgap-export plan --lock FILE");
  } catch (const diag::UsageError& error) {
    throw diag::UsageError(fmt::format("bad lock {}: {}", file, error.message()), error.hint());
  }
}

std::string write_lock(image::NameMode names, const std::vector<bundle::Image>& images) {
  json::Writer writer;
  writer.begin_object()
      .member("kind", k_lock_kind)
      .member("format", k_format)
      .member("names", image::name_of(names));
  writer.key("images").begin_array();
  for (const bundle::Image& image : images) {
    writer.begin_object().member("name", image.name.str()).member("digest", image.digest.str());
    writer.member("sourceDigest", image.source_digest.str()).member("platformChoice", image.platform_choice);
    writer.member("target", image.target);
    if (image.subject) writer.member("subject", image.subject->str());
    writer.end_object();
  }
  return writer.end_array().end_object().str();
}

}  // namespace airgap::exporter
