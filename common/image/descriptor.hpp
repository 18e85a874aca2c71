#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/hash/digest.hpp"
#include "common/image/platform.hpp"
#include "common/json/reader.hpp"
#include "common/json/writer.hpp"

namespace airgap::image {

using Annotations = std::map<std::string, std::string, std::less<>>;

/// What a document says about another one or about a blob. OCI image-spec, "Content Descriptors".
struct Descriptor {
  std::string media_type;
  hash::Digest digest;
  std::uint64_t size = 0;           ///< bytes, below 2^63; a claim until the bytes are read
  std::vector<std::string> urls{};  ///< where a foreign layer may be found
  std::optional<Platform> platform{};
  std::optional<std::string> artifact_type{};
  Annotations annotations{};
  std::optional<std::string> data{};  ///< the bytes themselves, decoded; they match digest and size

  /// Throws FormatError with the pointer at fault, IntegrityError when inline data is not what it should be
  /// (R51).
  static Descriptor parse(const json::Node& node);
  void write(json::Writer& writer) const;

  friend bool operator==(const Descriptor&, const Descriptor&) = default;
};

}  // namespace airgap::image
