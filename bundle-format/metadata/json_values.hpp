#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "bundle-format/metadata/limits.hpp"
#include "common/diag/error.hpp"
#include "common/hash/digest.hpp"
#include "common/image/reference.hpp"
#include "common/json/reader.hpp"

// Single values of the JSON files that cross the gap, each checked where it is read. All throw FormatError
// with the JSON pointer.
namespace airgap::bundle {

/// Runs a parser of text and puts the JSON pointer before its complaint.
template <class Parse>
auto parsed(const json::Node& node, Parse&& parse) {
  const std::string text = node.string();
  try {
    return parse(text);
  } catch (const diag::Error& error) {
    node.fail(error.message());
  }
}

hash::Digest digest_at(const json::Node& node);
/// A number of bytes, small enough that sums of it never overflow.
std::uint64_t bytes_at(const json::Node& node, std::uint64_t limit = k_max_blob_bytes);
std::string text_at(const json::Node& node, std::size_t limit = k_max_text);
std::string printable_at(const json::Node& node);  ///< ASCII, no control characters
std::vector<json::Node> list_at(const json::Node& node, std::size_t limit);
/// A source name in full, with tag or digest.
image::Reference name_at(const json::Node& node);
/// "path:tag" or "path@digest": placed in some registry it makes a good name (R120).
std::string target_at(const json::Node& node);
std::string repository_at(const json::Node& node);  ///< a path such as "library/nginx", without a host
std::string stream_at(const json::Node& node);      ///< 32 lower-case hex digits
std::uint64_t sequence_at(const json::Node& node);
std::string time_at(const json::Node& node);  ///< "2026-01-31T12:00:00Z"

}  // namespace airgap::bundle
