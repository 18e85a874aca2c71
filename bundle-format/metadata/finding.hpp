#pragma once

#include <string>
#include <vector>

#include "common/diag/error.hpp"
#include "common/hash/digest.hpp"

namespace airgap::bundle {

/// One thing that is wrong with a bundle.
struct Finding {
  diag::ErrorKind kind =
      diag::ErrorKind::integrity;     ///< integrity, unsafe for what does not belong, storage for read errors
  std::string file;                   ///< inside the bundle, safe to print
  std::string problem;                ///< "expected sha256:…, found sha256:…"
  std::vector<std::string> images{};  ///< names of the images it touches
  std::string hint{};                 ///< what to do next, where that is not plain
  /// What is lost by it, where `file` does not say so by being a blob's.
  std::vector<hash::Digest> blobs{};
  /// What it touches although the bytes are there: damage around them, where that is not every image's.
  std::vector<hash::Digest> around{};

  friend bool operator==(const Finding&, const Finding&) = default;
};

/// The blobs that are lost by it: those that it names, or the one that its file is.
std::vector<hash::Digest> lost_with(const Finding& finding);

/// What an error says about a file.
Finding finding_of(const diag::Error& error, std::string file);

/// What outweighs what, for the one status that a command ends with: unsafe before integrity, since what does
/// not belong there is refused before any byte is read and compared; then the rest, in their order. There is
/// one finding at least.
const Finding& gravest(const std::vector<Finding>& findings);
bool outweighs(diag::ErrorKind one, diag::ErrorKind other);

/// A finding as an Error of its kind; `path` is the bundle's, `more` how many findings there are beside it.
diag::Error as_error(const Finding& finding, const std::string& path, std::size_t more);

/// Throws the gravest of them as the Error of its kind, saying how many more there are.
[[noreturn]] void throw_first(const std::vector<Finding>& findings, const std::string& path);

}  // namespace airgap::bundle
