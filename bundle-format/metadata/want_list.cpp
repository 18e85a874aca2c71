#include "bundle-format/metadata/want_list.hpp"

#include <fmt/format.h>

#include <unordered_set>

#include "bundle-format/metadata/json_values.hpp"
#include "common/image/media_type.hpp"
#include "common/json/writer.hpp"

namespace airgap::bundle {
namespace {

using json::Node;

constexpr std::uint64_t k_format_of_want_lists = 1;
constexpr std::size_t k_max_urls = 100;  // of a blob; images have one or two

WantedBlob blob_at(const Node& node) {
  WantedBlob blob{digest_at(node.at("digest")), bytes_at(node.at("size")), {}, {}};
  if (const auto type = node.find("mediaType")) {
    blob.media_type = text_at(*type);
    if (!image::is_valid_media_type(blob.media_type)) type->fail("this is not a media type");
  }
  if (const auto urls = node.find("urls")) {
    for (const Node& url : list_at(*urls, k_max_urls)) blob.urls.push_back(text_at(url));
  }
  return blob;
}

void write_blob(json::Writer& writer, const WantedBlob& blob) {
  writer.begin_object().member("digest", blob.digest.str()).member("size", blob.size);
  if (!blob.media_type.empty()) writer.member("mediaType", blob.media_type);
  if (!blob.urls.empty()) {
    writer.key("urls").begin_array();
    for (const std::string& url : blob.urls) writer.value(url);
    writer.end_array();
  }
  writer.end_object();
}

class Parser {
 public:
  WantList parse(const Node& root) {
    if (const auto kind = root.find("kind"); !kind || kind->string() != k_want_list_kind)
      throw diag::FormatError("this is no want-list");
    if (const std::uint64_t format = root.at("format").uint64(); format != k_format_of_want_lists)
      root.at("format").fail(fmt::format("this program reads format 1, and not {}", format));
    WantList list{printable_at(root.at("creator")), time_at(root.at("created")), {}};
    for (const Node& node : list_at(root.at("images"), k_max_images)) {
      list.images.push_back(image_at(node));
      const std::size_t count = list.images.size();
      if (count > 1 && list.images[count - 2].name >= list.images[count - 1].name)
        node.fail("it is not in order of names, or there twice");
    }
    if (list.images.empty()) root.at("images").fail("nothing is wanted");
    return list;
  }

 private:
  WantedOfImage image_at(const Node& node) {
    WantedOfImage image{
        name_at(node.at("name")), digest_at(node.at("digest")), repository_at(node.at("target")), {}};
    for (const Node& entry : list_at(node.at("blobs"), k_max_blobs)) {
      image.blobs.push_back(blob_at(entry));
      if (!m_seen.insert(image.blobs.back().digest).second) entry.fail("it is there twice");
      if (m_seen.size() > k_max_blobs) entry.fail("there are too many blobs");
    }
    if (image.blobs.empty()) node.at("blobs").fail("nothing is wanted of this image");
    return image;
  }

  std::unordered_set<hash::Digest> m_seen;
};

}  // namespace

std::string write_want_list(const WantList& list) {
  json::Writer writer;
  writer.begin_object().member("kind", k_want_list_kind).member("format", k_format_of_want_lists);
  writer.member("creator", list.creator).member("created", list.created).key("images").begin_array();
  for (const WantedOfImage& image : list.images) {
    writer.begin_object().member("name", image.name.str()).member("digest", image.digest.str());
    writer.member("target", image.target).key("blobs").begin_array();
    for (const WantedBlob& blob : image.blobs) write_blob(writer, blob);
    writer.end_array().end_object();
  }
  writer.end_array().end_object();
  return writer.str();
}

WantList parse_want_list(std::string_view bytes) {
  const auto document =
      json::Document::parse(bytes, {.bytes = k_max_bundle_json, .values = k_max_json_values});
  return Parser().parse(document.root());
}

}  // namespace airgap::bundle
