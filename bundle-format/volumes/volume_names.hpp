#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace airgap::bundle {

/// What the files of a set are called that is written to NAME.tar. Names without their directory.
class VolumeNames {
 public:
  /// `archive` is NAME.tar.
  explicit VolumeNames(std::string_view archive);

  std::string volume(std::size_t number) const;   ///< NAME.001.tar
  std::string partial(std::size_t number) const;  ///< NAME.001.tar.partial
  std::string lock() const;                       ///< NAME.volumes.partial
  /// What an unfinished volume is called while its blobs are taken over into another plan:
  /// NAME.001.tar.replaced-1. Generations count from 1.
  std::string replaced(std::size_t number, std::size_t generation) const;

  struct Parsed {
    std::size_t number = 0;
    bool partial = false;
    std::size_t generation = 0;  ///< of a replaced one, else 0
  };
  /// What one of those names says; nothing for the lock and for any other name.
  std::optional<Parsed> parse(std::string_view file) const;

 private:
  std::string m_stem;  ///< NAME
};

/// What the writer of an unfinished volume locks. Both are paths.
std::string lock_of_partial(const std::string& partial);

/// NAME.tar of a file called NAME.001.tar; nothing for any other name.
std::optional<std::string> archive_of_volume(std::string_view file);

}  // namespace airgap::bundle
