#pragma once

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "bundle-format/in_place_reader.hpp"
#include "bundle-format/volumes/missing_volumes.hpp"

namespace airgap::bundle {

/// Volumes of a set, some of which are missing, cut or damaged: what can be had of them. Images are broken()
/// when one of their manifests is lost or damaged; of all others the manifests are there, and maybe not all
/// blobs.
class IncompleteSet : public InPlaceReader {
 public:
  /// `left_out` are the broken images, which `inspection` has no more, `missing` its volumes; `where` is what
  /// was named on the command line.
  IncompleteSet(Inspection inspection, std::string where, LeftOut left_out,
                std::vector<MissingVolume> missing);

  /// The blobs that lie in those volumes, all or some of them. To open one throws missing().
  const std::set<hash::Digest>& lost() const noexcept { return m_lost; }
  std::unique_ptr<io::Source> open_blob(const image::Descriptor& wanted, std::uint64_t offset) override;
  /// Names the volumes that these blobs are in, and images that need them.
  MissingVolumes missing(const std::vector<hash::Digest>& blobs,
                         const std::vector<std::string>& images) const;

 private:
  std::string m_where;
  std::vector<MissingVolume> m_missing;
  std::set<hash::Digest> m_lost;
};

/// For paths that open_bundle() throws MissingVolumes for.
std::unique_ptr<IncompleteSet> open_incomplete_set(const std::vector<std::string>& paths);

}  // namespace airgap::bundle
