#pragma once

#include <string>
#include <vector>

namespace airgap::bundle {

/// A file that a command writes beside its work: a report, a receipt.
struct FileBeside {
  std::string option;  ///< "--receipt"
  std::string path;    ///< empty where it was not given
};

/// Refuses what would replace one of these `bundles`, a volume of any set or a file in a directory bundle, or
/// become a file there that SHA256SUMS does not list; and one file for two of them. Devices and pipes may be
/// several. Only looks. `bundles` are as named on the command line, "-" is standard input. One of them may be
/// the `output`, which becomes a bundle: where it is a directory, nothing else goes into it. Throws
/// UsageError.
void refuse_overwriting(const std::vector<FileBeside>& files, const std::vector<std::string>& bundles,
                        const std::string& output = {});

}  // namespace airgap::bundle
