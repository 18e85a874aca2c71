#include "bundle-format/volumes/inspect_volumes.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <unordered_map>

#include "bundle-format/metadata/layout.hpp"
#include "bundle-format/open_following.hpp"
#include "bundle-format/unfinished.hpp"
#include "bundle-format/volumes/missing_volumes.hpp"
#include "bundle-format/volumes/pieces_source.hpp"
#include "bundle-format/volumes/tiling.hpp"
#include "bundle-format/volumes/volume_check.hpp"
#include "bundle-format/volumes/volume_names.hpp"
#include "bundle-format/volumes/volumes_near.hpp"
#include "bundle-format/volumes/whereabouts.hpp"
#include "common/text/escape.hpp"
#include "common/text/human_size.hpp"

namespace airgap::bundle {
namespace {

constexpr auto k_copy_hint = "copy this volume again";

OpenVolume opener(std::map<std::size_t, std::string> paths) {
  return [paths = std::make_shared<const std::map<std::size_t, std::string>>(std::move(paths))](
             std::size_t volume) { return open_following(paths->at(volume)); };
}

/// Nothing where the volume is cut before its end, or does not say its digest.
std::optional<Piece> piece_of(const CheckedVolume& volume, std::size_t part, const OpenVolume& open) {
  const VolumeInfo& info = volume.layout->info();
  const Part& one = info.parts[part];
  const auto sum = volume.sum_of(one);
  if (!sum || !volume.has_bytes_of(part)) return std::nullopt;
  const tar::Place& place = volume.layout->place_of(part);
  const Stretch stretch{info.number, place.data, place.size};
  return Piece{one.digest,
               *sum,
               one.size,
               fmt::format("{}: {}", volume.name, part_path(one)),
               k_copy_hint,
               [open, stretch] { return std::make_unique<PiecesSource>(open, std::vector<Stretch>{stretch}); }};
}

/// Where the bytes of blobs lie, for as long as somebody reads them.
struct Index {
  std::unordered_map<hash::Digest, std::vector<Stretch>> stretches;
  std::unordered_map<hash::Digest, std::string> names;          ///< where that is not plain from the digest
  std::unordered_map<hash::Digest, std::vector<Piece>> pieces;  ///< of those in several volumes
};

class SetInspection {
 public:
  SetInspection(const VolumeSet& set, Depth depth) : m_set(set), m_depth(depth) {}

  Inspection run() {
    m_result.form = "volumes";
    for (const auto& [number, volume] : m_set.volumes) {
      m_result.unfinished = m_result.unfinished || volume.unfinished;
      if (volume.unfinished)
        add(text::escape(volume.path), "the bundle is unfinished",
            hint_for_unfinished(lock_of_partial(volume.path)));
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
          m_result.sums = check.sums;
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
    std::map<std::size_t, CheckedVolume> volumes;
    for (const auto& [number, volume] : m_set.volumes) {
      CheckedVolume checked = check_volume(volume.path, Depth::files);
      compare_heads(checked);
      checked.head.reset();
      volumes.emplace(number, std::move(checked));
    }
    Tiling tiling(*m_result.info);
    const auto refused = tile(tiling, volumes);
    m_tiled = !refused;
    for (auto& [number, volume] : volumes) {
      if (volume.layout) charge(volume.findings, volume.blobs());
    }
    for (const Gap& gap : tiling.gaps()) tell_missing(gap, volumes);
    for (auto& [number, volume] : volumes) tell_damaged(number, volume);
    std::ranges::sort(m_result.missing_volumes, {}, &MissingVolume::number);
    if (refused) {
      m_result.findings.push_back(*refused);
    } else {
      index_blobs(tiling, volumes);
    }
  }

  /// What is wrong with that, if anything.
  std::optional<Finding> tile(Tiling& tiling, const std::map<std::size_t, CheckedVolume>& volumes) const {
    std::string at;
    try {
      for (const auto& [number, volume] : volumes) {
        at = volume.name;
        if (volume.layout) tiling.add(volume.layout->info());
      }
      at = k_volume_file;
      tiling.finish(m_set.count);
      return std::nullopt;
    } catch (const diag::UnsafeError& error) {
      return finding_of(error, at);
    }
  }

  /// Damage around the blobs of one volume touches what this volume holds, for the others have their own
  /// head. The end is nobody's.
  static void charge(std::vector<Finding>& findings, const std::vector<hash::Digest>& blobs) {
    for (Finding& finding : findings) {
      if (lost_with(finding).empty() && !finding.file.ends_with(k_archive_end)) finding.around = blobs;
    }
  }

  void compare_heads(CheckedVolume& checked) {
    if (!checked.head) return;
    const bool same = checked.head->files == m_head;
    if (!same) {
      checked.layout.reset();  // its offsets follow from another head
      checked.add(k_bundle_file,
                  "its head is not that of the other volumes: it is damaged, or of another run", k_copy_hint);
    } else if (checked.head->mtime != m_mtime) {
      checked.add(k_oci_layout_file, "the time in the headers is not the time in bundle.json");
    } else if (checked.layout && (checked.layout->info().stream != m_result.info->stream ||
                                  checked.layout->info().sequence != m_result.info->sequence)) {
      checked.layout.reset();
      checked.add(k_volume_file, "it names another bundle than bundle.json does");
    } else if (!checked.json_as_listed) {
      checked.layout.reset();
    }
  }

  void tell_missing(const Gap& gap, std::map<std::size_t, CheckedVolume>& volumes) {
    const auto lost = shared_out(gap, volumes);
    for (std::size_t number = gap.first; number <= gap.last; ++number) {
      if (const auto there = volumes.find(number); there != volumes.end()) {
        charge(there->second.findings, lost.at(number));  // it has its own finding
        continue;
      }
      MissingVolume missing{.number = number, .count = m_set.count, .blobs = lost.at(number)};
      if (const auto damaged = m_set.damaged_file(number)) missing.instead = unreadable_head(*damaged);
      m_result.findings.push_back(finding_of(missing));
      m_result.missing_volumes.push_back(std::move(missing));
      ++m_result.volume_findings;
    }
  }

  /// What is lost with each volume of a gap.
  std::map<std::size_t, std::vector<hash::Digest>> shared_out(
      const Gap& gap, const std::map<std::size_t, CheckedVolume>& volumes) const {
    std::map<std::size_t, std::vector<hash::Digest>> lost;
    if (gap.first < gap.last && m_tiled) {
      Whereabouts whereabouts(*m_result.info, m_head, m_set.count);
      for (const auto& [number, volume] : volumes) {
        if (volume.layout) whereabouts.learn(*volume.layout);
      }
      if (whereabouts.knows()) {
        for (const hash::Digest& blob : gap.blobs) {
          for (const std::size_t number : whereabouts.volumes_of(whereabouts.index_of(blob)))
            lost[number].push_back(blob);
        }
      }
    }
    const bool shared = !lost.empty();
    for (std::size_t number = gap.first; number <= gap.last; ++number) {
      if (!shared) lost[number] = gap.blobs;
      lost.try_emplace(number);
    }
    return lost;
  }

  /// Damage that is no more than damage is lived with: what it touches of the volume is as good as missing.
  void tell_damaged(std::size_t number, CheckedVolume& volume) {
    const auto is_damage = [](const Finding& finding) { return finding.kind == diag::ErrorKind::integrity; };
    if (!volume.findings.empty() && std::ranges::all_of(volume.findings, is_damage)) {
      MissingVolume missing{.number = number, .count = m_set.count, .instead = volume.fault()};
      for (const Finding& finding : volume.findings) {
        const std::vector<hash::Digest> lost = lost_with(finding);
        missing.blobs.insert(missing.blobs.end(), lost.begin(), lost.end());
        missing.blobs.insert(missing.blobs.end(), finding.around.begin(), finding.around.end());
      }
      m_result.volume_findings += volume.findings.size();
      m_result.missing_volumes.push_back(std::move(missing));
    }
    std::ranges::move(volume.findings, std::back_inserter(m_result.findings));
  }

  void index_blobs(const Tiling& tiling, const std::map<std::size_t, CheckedVolume>& volumes) {
    auto index = std::make_shared<Index>();
    const OpenVolume open = opener(m_paths);
    for (std::size_t i = 0; i < m_result.info->blobs.size(); ++i) {
      const Blob& blob = m_result.info->blobs[i];
      bool whole = tiling.covers(i);
      std::vector<Stretch> stretches;
      std::vector<std::string> names;
      std::vector<Piece> pieces;
      for (const PartIndex at : tiling.parts()[i]) {
        const CheckedVolume& volume = volumes.at(at.volume);
        const tar::Place& place = volume.layout->place_of(at.part);
        whole = whole && volume.has_bytes_of(at.part);
        stretches.push_back({at.volume, place.data, place.size, digest_of(volume, at.part)});
        names.push_back(volume.name);
        if (volume.layout->info().parts[at.part].number == 0) continue;
        if (auto piece = piece_of(volume, at.part, open)) pieces.push_back(std::move(*piece));
      }
      if (!whole) {
        std::ranges::move(pieces, std::back_inserter(m_result.loose));
        continue;
      }
      if (!pieces.empty()) index->pieces.emplace(blob.digest, std::move(pieces));
      index->stretches.emplace(blob.digest, std::move(stretches));
      index->names.emplace(blob.digest, fmt::format("{}", fmt::join(names, ", ")));
      m_result.readable.push_back(blob);
      ++m_result.files;
    }
    m_result.blob_bytes = [index, open](const Blob& blob, std::uint64_t offset) {
      const auto found = index->stretches.find(blob.digest);
      if (found == index->stretches.end())
        throw diag::IntegrityError(fmt::format("{} lies in a volume that is missing", blob.digest.str()));
      return std::make_unique<PiecesSource>(open, without_front(found->second, offset));
    };
    m_result.name_of = [index](const Blob& blob) {
      const auto found = index->names.find(blob.digest);
      return found == index->names.end() ? blob_path(blob.digest)
                                         : fmt::format("{}: {}", found->second, blob_path(blob.digest));
    };
    m_result.pieces_of = [index](const hash::Digest& blob) {
      const auto found = index->pieces.find(blob);
      return found == index->pieces.end() ? std::vector<Piece>{} : found->second;
    };
  }

  /// Of what the name does not say it already.
  static std::optional<hash::Digest> digest_of(const CheckedVolume& volume, std::size_t part) {
    const Part& one = volume.layout->info().parts[part];
    if (one.number == 0 && one.digest.algorithm() == hash::Algorithm::sha256) return std::nullopt;
    return volume.sum_of(one);
  }

  const VolumeSet& m_set;
  Depth m_depth;
  std::map<std::size_t, std::string> m_paths;
  std::vector<MetadataFile> m_head;
  std::uint64_t m_mtime = 0;
  bool m_tiled = false;  ///< what was looked at goes together
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
    result.findings.push_back({.file = volume.name,
                               .problem = "it is unfinished",
                               .images = {},
                               .hint = hint_for_unfinished(lock_of_partial(found.path))});
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
  const OpenVolume open = opener({{volume.layout->info().number, found.path}});
  for (std::size_t i = 0; i < volume.layout->info().parts.size(); ++i) {
    if (auto piece = piece_of(volume, i, open)) result.loose.push_back(std::move(*piece));
  }
  result.files += result.loose.size();
  return result;
}

}  // namespace airgap::bundle
