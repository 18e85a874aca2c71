#include "bundle-format/other_form.hpp"

#include "bundle-format/archive/archive_place.hpp"
#include "bundle-format/compressed/earlier_tar.hpp"
#include "bundle-format/metadata/layout.hpp"
#include "bundle-format/volumes/volume_names.hpp"
#include "common/io/file_lock.hpp"

namespace airgap::bundle {
namespace {

/// NAME.tar of any of the three.
std::string plain_name(std::string name) {
  if (name.ends_with(k_compressed_ending))
    name.resize(name.size() - k_compressed_ending.size() + k_archive_ending.size());
  return name;
}

bool is_ours(const io::Directory& directory, const std::string& name, ArchiveKind kind) {
  const auto file = std::make_shared<const io::File>(directory.open_file(name));
  return kind == ArchiveKind::compressed ? compressed::is_unfinished_tar(file) : is_unfinished_bundle(*file);
}

}  // namespace

std::optional<OtherForm> left_in_other_form(const std::string& path, ArchiveKind wanted) {
  const ArchiveName where(path);
  const std::string plain = plain_name(where.name);
  const std::string partial = plain + std::string(k_partial_ending);
  const std::string compressed = plain.substr(0, plain.size() - k_archive_ending.size()) +
                                 std::string(k_compressed_ending) + std::string(k_partial_ending);
  const VolumeNames volumes(plain);
  const auto kind_of = [&](const std::string& file) -> std::optional<ArchiveKind> {
    if (file == partial) return ArchiveKind::one_file;
    if (file == compressed) return ArchiveKind::compressed;
    const auto volume = volumes.parse(file);
    if (volume && (volume->partial || volume->generation != 0)) return ArchiveKind::volumes;
    return std::nullopt;
  };
  const auto locked = [&](const std::string& file) { return io::is_locked(where.directory.path_of(file)); };
  OtherForm left;
  for (const io::Entry& entry : where.directory.list()) {
    const auto kind = kind_of(entry.name);
    if (!kind || *kind == wanted || entry.size == 0) continue;
    // Who writes volumes locks the one file as well.
    const bool busy = *kind == ArchiveKind::volumes    ? locked(volumes.lock())
                      : *kind == ArchiveKind::one_file ? locked(partial) && !locked(volumes.lock())
                                                       : locked(compressed);
    if (busy || !is_ours(where.directory, entry.name, *kind)) continue;
    if (left.files == 0) {
      left.form = *kind == ArchiveKind::volumes      ? "in volumes"
                  : *kind == ArchiveKind::compressed ? "in compressed form"
                                                     : "in one file";
    }
    left.add(where.directory.path_of(entry.name), entry.size);
  }
  if (left.files == 0) return std::nullopt;
  return left;
}

}  // namespace airgap::bundle
