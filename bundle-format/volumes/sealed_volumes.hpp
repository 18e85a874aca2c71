#pragma once

#include <string>
#include <utility>
#include <vector>

#include "bundle-format/inspection.hpp"
#include "bundle-format/volumes/volume_layout.hpp"
#include "bundle-format/volumes/volume_names.hpp"
#include "common/io/directory.hpp"

namespace airgap::bundle {

/// A set that has its final names, to be proven, or to be taken back. Borrows all it is made from.
class SealedVolumes {
 public:
  /// `layouts` by number.
  SealedVolumes(const io::Directory& directory, const VolumeNames& names,
                std::vector<const VolumeLayout*> layouts)
      : m_directory(directory), m_names(names), m_layouts(std::move(layouts)) {}

  std::vector<std::string> paths() const;
  /// As if every volume were the one that its name says: one whose head says nothing any more, too. What a
  /// volume says of itself is compared with what was written.
  Inspection inspect() const;
  /// The set is unfinished again, and the `damaged` blobs are not in it. No name is left that a reader would
  /// believe before the first byte is taken out. A volume whose own check sums are damaged gets them anew by
  /// a rerun, and one whose head is damaged is then written anew as a whole. Throws
  /// StorageError where volumes of another set lie there unfinished.
  void retract(const std::vector<hash::Digest>& damaged);

 private:
  void refuse_beside_unfinished() const;
  void compare(const std::string& path, const VolumeLayout& written, std::vector<Finding>& findings) const;

  const io::Directory& m_directory;
  const VolumeNames& m_names;
  std::vector<const VolumeLayout*> m_layouts;
};

}  // namespace airgap::bundle
