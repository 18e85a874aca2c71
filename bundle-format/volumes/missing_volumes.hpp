#pragma once

#include <string>
#include <vector>

#include "bundle-format/inspection.hpp"
#include "common/diag/error.hpp"

namespace airgap::bundle {

/// Volumes of a set are not there, or not whole. The message names them and the images that they touch.
class MissingVolumes : public diag::IntegrityError {
 public:
  /// `where` is what was named on the command line.
  MissingVolumes(const std::string& where, const std::vector<MissingVolume>& volumes,
                 const std::vector<std::string>& images);

  /// "disc: volumes 2-3 of 6 are missing; volume 4 of 6: v.004.tar is there, but its head is damaged"
  const std::string& volumes() const noexcept { return m_volumes; }

 private:
  std::string m_volumes;
};

/// "volume 2 of 6: it is missing", with all that is lost with it.
Finding finding_of(const MissingVolume& volume);

}  // namespace airgap::bundle
