#pragma once

#include <string>
#include <vector>

#include "bundle-format/volumes/volume_set.hpp"
#include "common/cli/context.hpp"

namespace airgap::importer {

/// The places where volumes of one set show up, one disc after the other, and the operator who changes them.
class DiscDrive {
 public:
  /// `paths` lead to volumes of `set`, some of which are missing. The context is borrowed.
  DiscDrive(std::vector<std::string> paths, const bundle::VolumeSet& set, cli::Context& context);

  /// Looks in all places until the volume is in one of them. In between it says which one is wanted, and
  /// waits at the terminal for ENTER, or for a path that is looked at too. Throws IntegrityError when nobody
  /// answers.
  std::string find(std::size_t number);

 private:
  std::vector<std::string> m_paths;
  bundle::FoundVolume m_of;  ///< any of the set
  cli::Context& m_context;
};

}  // namespace airgap::importer
