#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "bundle-format/metadata/bundle_json.hpp"
#include "common/image/mapping.hpp"
#include "exporter/select/selection.hpp"

namespace airgap::exporter {

/// A pinned list of images. LOCK.md.
struct Lock {
  image::NameMode names = image::NameMode::path;
  std::vector<Wanted> images;  ///< each with a pin
};

/// What json_kind() finds in one.
inline constexpr std::string_view k_lock_kind = "airgap-lock";

/// Validates everything. Throws UsageError "<file>: /images/3/digest: …"; a newer format or an unknown
/// critical member names the version that is needed.
Lock parse_lock(std::string_view text, const std::string& file);

/// The same images give the same bytes.
std::string write_lock(image::NameMode names, const std::vector<bundle::Image>& images);

}  // namespace airgap::exporter
