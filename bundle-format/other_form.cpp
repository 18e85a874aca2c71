#include "bundle-format/other_form.hpp"

#include "bundle-format/archive/archive_place.hpp"
#include "bundle-format/volumes/volume_names.hpp"

namespace airgap::bundle {

std::optional<OtherForm> left_in_other_form(const std::string& path, bool in_volumes) {
  const ArchiveName where(path);
  const VolumeNames volumes(where.name);
  OtherForm left;
  for (const io::Entry& entry : where.directory.list()) {
    const auto volume = volumes.parse(entry.name);
    const bool other =
        in_volumes ? entry.name == where.partial() : volume && (volume->partial || volume->generation != 0);
    if (!other || entry.size == 0) continue;
    if (left.files++ == 0) left.first = where.directory.path_of(entry.name);
    left.bytes += entry.size;
  }
  if (left.files == 0) return std::nullopt;
  return left;
}

}  // namespace airgap::bundle
