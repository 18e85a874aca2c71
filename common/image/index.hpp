#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "common/image/descriptor.hpp"

namespace airgap::image {

/// An OCI image index or a docker manifest list.
struct Index {
  std::string media_type;  ///< as decided, also when the document does not say it
  std::vector<Descriptor>
      manifests{};  ///< of any type: what manifest_kind() does not know is carried as it is (R48)
  std::optional<Descriptor> subject{};
  std::optional<std::string> artifact_type{};
  Annotations annotations{};

  friend bool operator==(const Index&, const Index&) = default;
};

/// The bytes of an index of the `chosen` children alone, with the type, annotations and subject of
/// `original`. Equal calls give equal bytes.
std::string write_index(const Index& original, std::span<const Descriptor> chosen);

}  // namespace airgap::image
