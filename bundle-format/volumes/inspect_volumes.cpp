#include "bundle-format/volumes/inspect_volumes.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <unordered_map>

#include "bundle-format/metadata/layout.hpp"
#include "bundle-format/open_following.hpp"
#include "bundle-format/volumes/pieces_source.hpp"
#include "bundle-format/volumes/tiling.hpp"
#include "bundle-format/volumes/volume_check.hpp"
#include "common/text/human_size.hpp"

namespace airgap::bundle {
namespace {

constexpr auto k_unfinished_hint = "run the export again with the same command; it continues";

OpenVolume opener(std::map<std::size_t, std::string> paths) {
  return [paths = std::move(paths)](std::size_t volume) { return open_following(paths.at(volume)); };
}

/// Where the bytes of blobs lie, for as long as somebody reads them.
struct Index {
  std::unordered_map<hash::Digest, std::vector<Stretch>> stretches;
  std::unordered_map<hash::Digest, std::string> names;  ///< where that is not plain from the digest
};

class SetInspection {
 public:
  SetInspection(const VolumeSet& set, Depth depth) : m_set(set), m_depth(depth) {}

  Inspection run() {
    m_result.form = "volumes";
    for (const auto& [number, volume] : m_set.volumes) {
      if (volume.unfinished) add(volume.path, "the bundle is unfinished", k_unfinished_hint);
      m_paths.emplace(number, volume.path);
    }
    if (!find_head()) return std::move(m_result);
    if (m_depth == Depth::files) look_at_volumes();
    return std::move(m_result);
  }

 private:
  void add(std::string file, std::string problem, std::string hint = {}) {
    m_result.findings.push_back(
        {.file = std::move(file), .problem = std::move(problem), .images = {}, .hint = std::move(hint)});
  }

  /// The first head that is right speaks for all of them; without one, the first says what is wrong.
  bool find_head() {
    std::vector<Finding> first;
    for (const auto& [number, volume] : m_set.volumes) {
      CheckedVolume checked = check_volume(volume.path, Depth::metadata);
      std::vector<Finding> findings = std::move(checked.findings);
      if (checked.head) {
        MetadataCheck check = check_metadata(checked.head->by_name());
        std::ranges::move(check.findings, std::back_inserter(findings));
        if (findings.empty() && check.trusted) {
          m_result.info = std::move(check.info);
          m_head = std::move(checked.head->files);
          m_mtime = created_seconds(m_result.info->created);
          for (const MetadataFile& file : m_head) m_result.metadata_bytes += file.bytes.size();
          m_result.files = m_head.size();
          return true;
        }
      }
      if (first.empty()) first = std::move(findings);
    }
    std::ranges::move(first, std::back_inserter(m_result.findings));
    return false;
  }

  void look_at_volumes() {
    Tiling tiling(*m_result.info);
    std::map<std::size_t, CheckedVolume> volumes;
    for (const auto& [number, volume] : m_set.volumes) {
      CheckedVolume checked = check_volume(volume.path, Depth::files);
      compare_heads(checked);
      checked.head.reset();
      if (checked.layout) {
        try {
          tiling.add(checked.layout->info());
        } catch (const diag::UnsafeError& error) {
          add(checked.name, error.message());
          m_result.findings.back().kind = error.kind();
          return;
        }
      }
      std::ranges::move(checked.findings, std::back_inserter(m_result.findings));
      checked.findings.clear();
      volumes.emplace(number, std::move(checked));
    }
    try {
      tiling.finish(m_set.count);
    } catch (const diag::UnsafeError& error) {
      add(std::string(k_volume_file), error.message());
      m_result.findings.back().kind = error.kind();
      return;
    }
    for (const Gap& gap : tiling.gaps()) tell_missing(gap);
    index_blobs(tiling, volumes);
  }

  void compare_heads(CheckedVolume& checked) {
    if (!checked.head) return;
    const bool same = checked.head->files == m_head;
    if (!same) {
      checked.layout.reset();  // its offsets follow from another head
      checked.add(k_bundle_file,
                  "its head is not that of the other volumes: it is damaged, or of another run",
                  "copy this volume again");
    } else if (checked.head->mtime != m_mtime) {
      checked.add(k_oci_layout_file, "the time in the headers is not the time in bundle.json");
    } else if (checked.layout && (checked.layout->info().stream != m_result.info->stream ||
                                  checked.layout->info().sequence != m_result.info->sequence)) {
      checked.layout.reset();
      checked.add(k_volume_file, "it names another bundle than bundle.json does");
    }
  }

  void tell_missing(const Gap& gap) {
    for (std::size_t number = gap.first; number <= gap.last; ++number) {
      if (m_set.volumes.contains(number)) continue;  // it is there, and has its own finding
      Finding finding{.file = fmt::format("volume {} of {}", number, m_set.count),
                      .problem = "it is missing",
                      .images = {},
                      .hint = "put it beside the others, or name the folder that it is in, too",
                      .blobs = gap.blobs};
      m_result.missing_volumes.push_back(number);
      m_result.findings.push_back(std::move(finding));
    }
  }

  void index_blobs(const Tiling& tiling, const std::map<std::size_t, CheckedVolume>& volumes) {
    auto index = std::make_shared<Index>();
    for (std::size_t i = 0; i < m_result.info->blobs.size(); ++i) {
      const Blob& blob = m_result.info->blobs[i];
      bool whole = tiling.covers(i);
      std::vector<Stretch> stretches;
      std::vector<std::string> names;
      for (const PartIndex at : tiling.parts()[i]) {
        const CheckedVolume& volume = volumes.at(at.volume);
        const tar::Place& place = volume.layout->place_of(at.part);
        whole = whole && volume.has_bytes_of(at.part);
        stretches.push_back({at.volume, place.data, place.size, digest_of(volume, at.part)});
        names.push_back(volume.name);
      }
      if (!whole) continue;
      index->stretches.emplace(blob.digest, std::move(stretches));
      index->names.emplace(blob.digest, fmt::format("{}", fmt::join(names, ", ")));
      m_result.readable.push_back(blob);
      ++m_result.files;
    }
    m_result.blob_bytes = [index, open = opener(m_paths)](const Blob& blob, std::uint64_t offset) {
      const auto found = index->stretches.find(blob.digest);
      if (found == index->stretches.end())
        throw diag::IntegrityError(fmt::format("{} lies in a volume that is missing", blob.digest.str()));
      return std::make_unique<PiecesSource>(open, without_front(found->second, offset));
    };
    m_result.name_of = [index](const Blob& blob) {
      return fmt::format("{}: {}", index->names.at(blob.digest), blob_path(blob.digest));
    };
  }

  /// Of what the name does not say it already.
  static std::optional<hash::Digest> digest_of(const CheckedVolume& volume, std::size_t part) {
    const Part& one = volume.layout->info().parts[part];
    if (one.number == 0 && one.digest.algorithm() == hash::Algorithm::sha256) return std::nullopt;
    return volume.sum_of(part);
  }

  const VolumeSet& m_set;
  Depth m_depth;
  std::map<std::size_t, std::string> m_paths;
  std::vector<MetadataFile> m_head;
  std::uint64_t m_mtime = 0;
  Inspection m_result;
};

}  // namespace

Inspection inspect_volumes(const VolumeSet& set, Depth depth) {
  return SetInspection(set, depth).run();
}

Inspection inspect_one_volume(const FoundVolume& found) {
  Inspection result;
  result.form = "volume";
  result.part_of = fmt::format("volume {} of {}", found.number, found.count);
  CheckedVolume volume = check_volume(found.path, Depth::files);
  result.findings = std::move(volume.findings);
  if (found.unfinished)
    result.findings.push_back(
        {.file = volume.name, .problem = "it is unfinished", .images = {}, .hint = k_unfinished_hint});
  if (!volume.head) return result;
  MetadataCheck check = check_metadata(volume.head->by_name());
  std::ranges::move(check.findings, std::back_inserter(result.findings));
  result.info = std::move(check.info);
  result.files = volume.head->files.size() + 1;
  for (const MetadataFile& file : volume.head->files) result.metadata_bytes += file.bytes.size();
  if (!volume.layout || !result.info) return result;
  try {
    Tiling tiling(*result.info);
    tiling.add(volume.layout->info());
    tiling.finish(found.count);
  } catch (const diag::UnsafeError& error) {
    result.findings.push_back(finding_of(error, volume.name));
  }
  auto index = std::make_shared<Index>();
  for (std::size_t i = 0; i < volume.layout->info().parts.size(); ++i) {
    const Part& part = volume.layout->info().parts[i];
    const auto sum = volume.sum_of(i);
    if (!sum || !volume.has_bytes_of(i)) continue;
    const tar::Place& place = volume.layout->place_of(i);
    // Read as a blob with the digest that SHA256SUMS.volume says.
    index->stretches[*sum] = {{found.number, place.data, place.size}};
    index->names[*sum] = fmt::format("{}: {}", volume.name, part_path(part));
    result.readable.push_back({*sum, part.size, BlobKind::layer, part.size});
    ++result.files;
  }
  result.blob_bytes = [index, open = opener({{found.number, found.path}})](const Blob& part,
                                                                           std::uint64_t offset) {
    return std::make_unique<PiecesSource>(open, without_front(index->stretches.at(part.digest), offset));
  };
  result.name_of = [index](const Blob& part) { return index->names.at(part.digest); };
  return result;
}

}  // namespace airgap::bundle
