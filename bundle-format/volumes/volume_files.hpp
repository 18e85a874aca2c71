#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <set>
#include <string_view>

#include "bundle-format/volumes/volume_names.hpp"
#include "bundle-format/volumes/volume_plan.hpp"
#include "common/io/directory.hpp"
#include "common/task/guarded.hpp"

namespace airgap::bundle {

/// The unfinished files of a set that is being written, by volume from 0; opened when they are used, so that
/// few are open at a time. Thread-safe. Borrows what it is made from.
class VolumeFiles {
 public:
  VolumeFiles(const io::Directory& directory, const VolumeNames& names, const VolumePlan& plan);

  /// The volume is as an earlier run left it: it has its head, and maybe its final name.
  void keep(std::size_t volume, bool named);
  /// Creates it with its head when it is new.
  std::shared_ptr<const io::File> open(std::size_t volume);
  /// Nothing more will be written to it.
  void close(std::size_t volume);

 private:
  struct State {
    std::map<std::size_t, std::shared_ptr<const io::File>> open;
    std::set<std::size_t> begun;  ///< have their head
    std::set<std::size_t> named;  ///< have their final name
  };
  void write_head(const io::File& file, const VolumeLayout& volume) const;

  const io::Directory& m_directory;
  const VolumeNames& m_names;
  const VolumePlan& m_plan;
  task::Guarded<State> m_state;
};

/// Bytes and the zeros after them at their place.
void write_member(const io::File& file, const tar::Place& place, std::string_view bytes);
void write_padding(const io::File& file, const tar::Place& place);

}  // namespace airgap::bundle
