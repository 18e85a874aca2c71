#pragma once

#include <string>
#include <vector>

#include "bundle-format/metadata/contents.hpp"
#include "bundle-format/skopeo_tree/earlier_tree.hpp"
#include "common/io/directory.hpp"

namespace airgap::skopeo_tree {

/// An image's folder as it is to be.
class TargetFolder {
 public:
  TargetFolder(const bundle::Image& image, std::string path, const bundle::Contents& contents);

  const std::string& path() const noexcept { return m_path; }
  const std::vector<bundle::Blob>& blobs() const noexcept {
    return m_blobs;
  }                                           ///< configs and layers, each once
  bool holds(const std::string& file) const;  ///< a name in it

  /// Whether the folder is that already, with nothing else in it.
  bool is_done(const io::Directory& top, const EarlierFolder& earlier) const;
  /// All but blobs, manifest.json under a temporary name, nothing synced.
  void write_documents(const io::Directory& top, const bundle::Contents& contents) const;
  void publish_manifest(const io::Directory& top) const;  ///< gives it its name

 private:
  hash::Digest m_digest;
  std::string m_path;
  std::vector<hash::Digest> m_instances;
  std::map<std::string, std::string> m_signatures;  ///< bytes by file
  std::vector<bundle::Blob> m_blobs;
  std::vector<std::string> m_files;  ///< sorted
  bool m_other_algorithm = false;
};

}  // namespace airgap::skopeo_tree
