#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "bundle-format/archive/archive_place.hpp"
#include "bundle-format/archive/ordered_archive.hpp"
#include "bundle-format/bundle_place.hpp"
#include "bundle-format/compressed/earlier_tar.hpp"
#include "bundle-format/compressed/replaced_tars.hpp"

namespace airgap::bundle::compressed {

/// What earlier runs left where a compressed archive is to be written, as both the writer and a mere look see
/// it.
struct TarsLeft {
  /// `where` is borrowed, `partial` may be null. Throws as earlier_tar() does.
  TarsLeft(const ArchiveName& where, const std::shared_ptr<const io::File>& partial, bool overwrite,
           const std::stop_token& stop);

  // As BundlePlace says.
  bool has(const Blob& blob) const;
  std::uint64_t partial_bytes(const Blob& blob) const;
  std::optional<std::string> manifest(const hash::Digest& digest) const;
  std::uint64_t doubled_bytes(const Contents& wanted) const;

  /// Whether the unfinished archive is written on by that plan as it lies.
  bool goes_on_as(const ArchivePlan& plan) const;
  std::unique_ptr<io::Source> open(const Blob& blob) const;  ///< null where it is not there whole
  Front front_of(const Blob& blob) const;

  EarlierTar current;     ///< under the name of the archive or of its partial
  ReplacedTars replaced;  ///< of other plans
  std::optional<BundleInfo> info;
};

/// Looks without touching anything. Throws as above.
std::unique_ptr<BundlePlace> look_at_compressed(const std::string& path, bool overwrite,
                                                const std::stop_token& stop);

}  // namespace airgap::bundle::compressed
