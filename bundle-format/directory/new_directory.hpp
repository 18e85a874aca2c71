#pragma once

#include <string>
#include <vector>

namespace airgap::bundle {

/// Remembers which directories on the way to a path are not there yet. Construct it before they are made.
class NewDirectory {
 public:
  explicit NewDirectory(const std::string& path);

  /// Puts the entries that lead to the new directories on stable storage.
  void sync_parents() const;
  /// Takes back what was made, as far as it is empty.
  void remove() const noexcept;

 private:
  std::vector<std::string> m_missing;  ///< innermost first
};

}  // namespace airgap::bundle
