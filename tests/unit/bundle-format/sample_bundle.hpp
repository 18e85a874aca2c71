#pragma once

#include <map>
#include <string>
#include <vector>

#include "bundle-format/metadata/contents.hpp"

namespace airgap::bundle {

/// A small bundle with a bit of everything: app:1 is an index of two platforms, tool:2 one image that shares
/// a layer with it, and a signature accompanies tool:2. One layer has no bytes.
struct Sample {
  Contents contents;
  std::map<hash::Digest, std::string> blobs;  ///< bytes of all of them, manifests included

  const Image& image(const std::string& name) const;
  /// A digest by what the sample calls it: "index", "app-amd64", "app-arm64", "tool", "signature",
  /// "config-amd64", "config-arm64", "config-tool", "config-signature", "shared", "big", "empty", "sha512",
  /// "signature-layer".
  const hash::Digest& operator[](const std::string& what) const { return called.at(what); }
  std::map<std::string, hash::Digest> called;
};

enum class Sha512 { none, layer };
Sample make_sample(Sha512 with = Sha512::none);

/// A member of an archive to be, well-formed or not.
struct SampleFile {
  std::string name;
  std::string bytes;
};

/// All files of a bundle in archive order. Written here once more, independent of the writers.
std::vector<SampleFile> files_of(const Sample& sample);
/// After a change of the metadata, SHA256SUMS is made right again: such a bundle is whole but for what it
/// says.
void seal(std::vector<SampleFile>& files, const BundleInfo& info);

std::string archive_of(const std::vector<SampleFile>& files, const BundleInfo& info);
void write_directory(const std::vector<SampleFile>& files, const std::string& path);

inline std::string archive_of(const Sample& sample) {
  return archive_of(files_of(sample), sample.contents.info);
}

}  // namespace airgap::bundle
