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
  /// Reads what is there: a finished archive and, unless that is to stay, `partial`, which may be null, and
  /// those of other plans. `where` is borrowed. Throws UsageError for a file that is no whole bundle, unless
  /// it is to be overwritten, and Interrupted.
  TarsLeft(const ArchiveName& where, const std::shared_ptr<const io::File>& partial, bool overwrite,
           const std::stop_token& stop);

  // As BundlePlace says: existing(), begun() and so on.
  const std::optional<BundleInfo>& info() const;
  const BundleInfo* replacement() const;
  bool has(const Blob& blob) const;
  std::uint64_t partial_bytes(const Blob& blob) const;
  std::optional<std::string> manifest(const hash::Digest& digest) const;
  std::uint64_t doubled_bytes(const Contents& wanted) const;
  std::uint64_t occupied_bytes(const Contents& wanted) const;

  /// Whether the unfinished archive is written on by that plan as it lies.
  bool goes_on_as(const ArchivePlan& plan) const;
  /// From a byte of the blob on; null where it is not there whole.
  std::unique_ptr<io::Source> open(const Blob& blob, std::uint64_t offset) const;
  Front front_of(const Blob& blob) const;

  EarlierTar finished;    ///< under its final name
  EarlierTar begun;       ///< to go on with: beside a finished one, what is to replace it
  ReplacedTars replaced;  ///< unfinished ones of other plans
};

/// Looks without touching anything. Throws as above.
std::unique_ptr<BundlePlace> look_at_compressed(const std::string& path, bool overwrite,
                                                const std::stop_token& stop);

}  // namespace airgap::bundle::compressed
