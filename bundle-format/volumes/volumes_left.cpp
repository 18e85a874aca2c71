#include "bundle-format/volumes/volumes_left.hpp"

#include "bundle-format/archive/archive_place.hpp"

namespace airgap::bundle {
namespace {

using Files = std::map<std::size_t, std::string>;  ///< by number

struct FilesLeft {
  Files named;
  Files partial;
  std::map<std::size_t, Files> replaced;  ///< by generation

  FilesLeft(const io::Directory& directory, const VolumeNames& names) {
    for (const io::Entry& entry : directory.list()) {
      const auto parsed = names.parse(entry.name);
      if (!parsed) continue;
      Files& files = parsed->generation != 0 ? replaced[parsed->generation]
                     : parsed->partial       ? partial
                                             : named;
      files.emplace(parsed->number, entry.name);
    }
  }
};

/// A run may have ended while it renamed: what has the final name already, or what was put aside, goes with
/// the rest when all of it does.
void join_renamed(const io::Directory& directory, const FilesLeft& files, VolumesLeft& left) {
  if (!left.begun.info) return;
  if (!left.finished.info) {
    const std::size_t count = left.begun.volumes.begin()->second.layout.info().count;
    Files renamed;
    for (const auto& [number, file] : files.named) {
      if (number <= count && !files.partial.contains(number)) renamed.emplace(number, file);
    }
    const LeftSet set = read_left_set(directory, renamed, true);
    if (set.volumes.size() == renamed.size()) left.begun.join(set);
  }
  if (left.replaced.empty()) return;
  const auto last = std::prev(left.replaced.end());
  if (left.begun.join(last->second)) left.replaced.erase(last);
}

/// Of those files: what is in them is ours, or nobody's.
LeftSet read_unfinished(const io::Directory& directory, const Files& files,
                        std::vector<std::string>& strange) {
  LeftSet set = read_left_set(directory, files, false);
  for (const auto& [number, file] : files) {
    if (!set.volumes.contains(number) && !is_unfinished_bundle(directory.open_file(file)))
      strange.push_back(file);
  }
  return set;
}

void read_begun(const io::Directory& directory, const FilesLeft& files, VolumesLeft& left) {
  left.begun = read_unfinished(directory, files.partial, left.strange);
  for (const auto& [generation, replaced] : files.replaced)
    left.replaced.emplace(generation, read_unfinished(directory, replaced, left.strange));
  join_renamed(directory, files, left);
}

bool has_file(const LeftSet& set, std::size_t number, const std::string& file) {
  const auto found = set.volumes.find(number);
  return found != set.volumes.end() && found->second.file == file;
}

}  // namespace

VolumesLeft volumes_left(const io::Directory& directory, const VolumeNames& names, bool replace) {
  const FilesLeft files(directory, names);
  VolumesLeft left;
  if (LeftSet set = read_left_set(directory, files.named, true); set.whole()) left.finished = std::move(set);
  if (replace || !left.finished.info) read_begun(directory, files, left);
  for (const auto& [number, file] : files.named) {
    if (!has_file(left.finished, number, file) && !has_file(left.begun, number, file))
      left.others.push_back(file);
  }
  return left;
}

}  // namespace airgap::bundle
