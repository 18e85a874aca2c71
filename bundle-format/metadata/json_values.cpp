#include "bundle-format/metadata/json_values.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "bundle-format/metadata/bundle_json.hpp"
#include "common/text/escape.hpp"

namespace airgap::bundle {

using json::Node;

hash::Digest digest_at(const Node& node) {
  return parsed(node, &hash::Digest::parse);
}

std::uint64_t bytes_at(const Node& node, std::uint64_t limit) {
  const std::uint64_t bytes = node.uint64();
  if (bytes > limit) node.fail(fmt::format("{} bytes are over the limit of {}", bytes, limit));
  return bytes;
}

std::string text_at(const Node& node, std::size_t limit) {
  std::string text = node.string();
  if (text.size() > limit) node.fail(fmt::format("{} bytes are over the limit of {}", text.size(), limit));
  return text;
}

std::string printable_at(const Node& node) {
  std::string text = text_at(node);
  if (std::any_of(text.begin(), text.end(), [](char c) { return c < ' ' || c > '~'; }))
    node.fail("only printable ASCII may stand here");
  return text;
}

std::vector<Node> list_at(const Node& node, std::size_t limit) {
  if (node.is_array() && node.size() > limit)
    node.fail(fmt::format("{} entries are over the limit of {}", node.size(), limit));
  return node.elements();
}

// Written in full, so that two readers cannot take it for two things.
image::Reference name_at(const Node& node) {
  text_at(node);  // its length
  image::Reference name = parsed(node, &image::Reference::parse_full);
  if (!name.tag && !name.digest) node.fail("a name here has a tag or a digest");
  return name;
}

std::string target_at(const Node& node) {
  const auto placed = parsed(node, [](const std::string& text) {
    return image::RegistryTarget{.registry = "registry.internal"}.place(text);
  });
  if (!placed.tag && !placed.digest) node.fail("a target has a tag or a digest");
  return node.string();
}

std::string repository_at(const Node& node) {
  std::string path = text_at(node);
  if (path.size() > image::k_max_repository || !image::is_valid_repository(path))
    node.fail(fmt::format("'{}' is no repository", text::escape(path)));
  return path;
}

std::string stream_at(const Node& node) {
  std::string stream = node.string();
  if (stream.size() != 32 || stream.find_first_not_of("0123456789abcdef") != stream.npos)
    node.fail("expected 32 lower-case hex digits");
  return stream;
}

std::uint64_t sequence_at(const Node& node) {
  const std::uint64_t sequence = node.uint64();
  if (sequence == 0) node.fail("the first bundle of a stream is number 1");
  if (sequence > k_max_sequence) node.fail("no stream has so many bundles");
  return sequence;
}

std::string time_at(const Node& node) {
  parsed(node, &created_seconds);
  return node.string();
}

}  // namespace airgap::bundle
