#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "bundle-format/left_files.hpp"
#include "bundle-format/metadata/bundle_json.hpp"

namespace airgap::bundle {

struct Contents;

/// Where a bundle is to be written, as it lies there now: what an earlier run left. Safe from several
/// threads.
class BundlePlace {
 public:
  virtual ~BundlePlace() = default;

  /// bundle.json of an earlier run, finished or not.
  virtual const std::optional<BundleInfo>& existing() const = 0;
  /// What is there under that name: of existing(), or where a form has no bundle.json, what lies in the
  /// image's place. Null when there is none, or it is not whole.
  virtual const Image* existing_image(const image::Reference& name) const;
  /// True when `existing()` is a finished bundle (sealed by SHA256SUMS).
  virtual bool finished() const = 0;
  /// The bytes of a manifest that an earlier run left, verified; nothing when it is not there or damaged.
  virtual std::optional<std::string> existing_manifest(const hash::Digest& digest) const = 0;
  /// True when the blob is there whole, verified when it was written, and needs no put_blob().
  virtual bool has_blob(const Blob& blob) const = 0;
  /// Bytes of it that an earlier run left unfinished; a hint for plans.
  virtual std::uint64_t partial_bytes(const Blob& blob) const = 0;
  /// How many bytes at most lie there twice for a while, when what is there unfinished is brought into the
  /// shape of these contents.
  virtual std::uint64_t doubled_bytes(const Contents& wanted) const;
  /// How many bytes of an archive of these contents, `length` bytes long, need no more room on the medium,
  /// since an unfinished one takes it up already: also where it holds nothing yet, before and after what it
  /// holds of a blob. 0 where files are written one by one.
  virtual std::uint64_t occupied_bytes(const Contents& wanted, std::uint64_t length) const;
  /// False where a finished bundle is to be written anew though it holds what is wanted: in smaller volumes,
  /// or in fewer ones where it is to be overwritten.
  virtual bool fits() const { return true; }
  /// How many volumes a finished bundle has; 0 in other forms.
  virtual std::size_t finished_volumes() const { return 0; }

  // Beside a finished bundle, existing(), there may be an unfinished one.
  /// bundle.json of that one, where it is to replace the other; else null.
  virtual const BundleInfo* begun() const { return nullptr; }
  /// Its files, whether it is to replace the other or not; nothing while a run is writing it just now.
  virtual std::optional<LeftFiles> left_beside() const { return std::nullopt; }
};

/// A place where nothing is yet.
class EmptyPlace final : public BundlePlace {
 public:
  const std::optional<BundleInfo>& existing() const override { return m_nothing; }
  bool finished() const override { return false; }
  std::optional<std::string> existing_manifest(const hash::Digest&) const override { return std::nullopt; }
  bool has_blob(const Blob&) const override { return false; }
  std::uint64_t partial_bytes(const Blob&) const override { return 0; }

 private:
  std::optional<BundleInfo> m_nothing;
};

}  // namespace airgap::bundle
