#include "bundle-format/volumes/volumes_at_hand.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <utility>

#include "bundle-format/metadata/layout.hpp"
#include "bundle-format/metadata/metadata_check.hpp"
#include "bundle-format/open_following.hpp"
#include "bundle-format/volumes/volumes_in_turn.hpp"
#include "bundle-format/volumes/volumes_near.hpp"
#include "common/diag/error.hpp"
#include "common/hash/hasher.hpp"

namespace airgap::bundle {
namespace {

std::vector<hash::Digest> digests_of(const std::vector<MetadataFile>& files) {
  std::vector<hash::Digest> digests;
  digests.reserve(files.size());
  for (const MetadataFile& file : files) digests.push_back(hash::sha256_of(file.bytes));
  return digests;
}

/// Whether what was checked before need not be checked again: its head, its place and its length are the
/// same.
bool same_file(const FoundVolume& found, const FoundVolume& before, const CheckedVolume& volume) {
  std::error_code error;
  return found.path == before.path && same_volume(found, before) &&
         std::filesystem::file_size(found.path, error) == volume.length;
}

}  // namespace

VolumesAtHand::VolumesAtHand(const VolumeSet& found) : m_of(found.volumes.begin()->second) {
  std::vector<Finding> findings;
  for (const auto& [number, volume] : found.volumes) {
    if (learn_head(volume, findings)) return;
  }
  throw_first(findings, m_of.path);
}

bool VolumesAtHand::learn_head(const FoundVolume& found, std::vector<Finding>& findings) {
  CheckedVolume volume = check_volume(found.path, Depth::metadata);
  std::ranges::move(volume.findings, std::back_inserter(findings));
  if (!volume.head || !volume.findings.empty()) return false;
  MetadataCheck check = check_metadata(volume.head->by_name());
  std::ranges::move(check.findings, std::back_inserter(findings));
  if (!check.trusted || !check.findings.empty()) return false;
  m_of = found;
  m_info = std::move(*check.info);
  m_head = digests_of(volume.head->files);
  m_blobs.emplace(m_info);
  m_whereabouts.emplace(m_info, std::move(volume.head->files), count());
  return true;
}

void VolumesAtHand::look(const std::vector<std::string>& places) {
  Volumes at_hand;
  m_unusable.clear();
  for (const std::string& place : places) {
    const VolumesNear near = volumes_near(place);
    for (const FoundVolume& found : near.volumes) {
      if (!same_bundle(found, m_of)) {
        m_unusable.push_back(fmt::format("{}, and of another bundle", described(found)));
      } else if (found.unfinished) {
        m_unusable.push_back(fmt::format("{}, and unfinished", described(found)));
      } else {
        look_at(found, at_hand);
      }
    }
    for (const std::string& damaged : near.unreadable)
      m_unusable.push_back(fmt::format("{}: copy it again", unreadable_head(damaged)));
  }
  std::ranges::sort(m_unusable);
  const auto twice = std::ranges::unique(m_unusable);
  m_unusable.erase(twice.begin(), twice.end());
  m_volumes = std::move(at_hand);
  index_parts();
}

void VolumesAtHand::look_at(const FoundVolume& found, Volumes& at_hand) {
  if (at_hand.contains(found.number)) return;
  const auto before = m_volumes.find(found.number);
  if (before != m_volumes.end() && same_file(found, before->second.found, before->second.volume)) {
    at_hand.insert(m_volumes.extract(before));
    return;
  }
  try {
    CheckedVolume volume = check_volume(found.path, Depth::files);
    if (const std::string fault = fault_of(volume); !fault.empty()) {
      m_unusable.push_back(fmt::format("{}: copy it again", fault));
      return;
    }
    volume.head.reset();
    m_whereabouts->learn(*volume.layout);
    at_hand.emplace(found.number, Held{found, std::move(volume)});
  } catch (const diag::StorageError& error) {
    m_unusable.push_back(error.message());
  }
}

std::string VolumesAtHand::fault_of(const CheckedVolume& volume) const {
  if (!volume.findings.empty()) return volume.fault();
  const VolumeInfo& info = volume.layout->info();
  if (digests_of(volume.head->files) != m_head || volume.layout->mtime() != created_seconds(m_info.created) ||
      info.stream != m_info.stream || info.sequence != m_info.sequence || info.count != count())
    return fmt::format("{}: its head is not that of the other volumes", volume.name);
  return {};
}

void VolumesAtHand::index_parts() {
  m_parts.clear();
  for (const auto& [number, held] : m_volumes) {
    const auto& parts = held.volume.layout->info().parts;
    for (std::size_t i = 0; i < parts.size(); ++i)
      m_parts[parts[i].digest].emplace(parts[i].offset, HeldPart{&held.volume, i});
  }
}

std::vector<std::size_t> VolumesAtHand::numbers() const {
  std::vector<std::size_t> numbers;
  for (const auto& [number, held] : m_volumes) numbers.push_back(number);
  return numbers;
}

Stretch VolumesAtHand::HeldPart::stretch() const {
  const tar::Place& place = volume->layout->place_of(index);
  // Of a whole blob the reader checks the digest.
  const auto sum = part().number == 0 ? std::nullopt : volume->sum_of(part());
  return {volume->layout->info().number, place.data, place.size, sum};
}

std::optional<VolumesAtHand::HeldPart> VolumesAtHand::part_with(const Blob& blob,
                                                                std::uint64_t offset) const {
  const auto parts = m_parts.find(blob.digest);
  if (parts == m_parts.end()) return std::nullopt;
  auto found = parts->second.upper_bound(offset);
  if (found == parts->second.begin()) return std::nullopt;
  const HeldPart& held = (--found)->second;
  const bool inside = offset - held.part().offset < held.part().size || blob.stored_size == 0;
  return inside ? std::optional(held) : std::nullopt;
}

bool VolumesAtHand::has_byte(const Blob& blob, std::uint64_t offset) const {
  return part_with(blob, offset).has_value();
}

bool VolumesAtHand::has(const Blob& blob) const {
  std::uint64_t done = 0;
  do {
    const auto held = part_with(blob, done);
    if (!held) return false;
    done = held->part().offset + held->part().size;
  } while (done < blob.stored_size);
  return true;
}

std::unique_ptr<io::Source> VolumesAtHand::open_part(const Blob& blob, std::uint64_t offset) const {
  const auto held = part_with(blob, offset);
  if (!held)
    throw diag::InternalError(fmt::format("byte {} of {} is not at hand", offset, blob.digest.str()));
  return std::make_unique<PiecesSource>(
      [path = held->volume->path](std::size_t) { return open_following(path); },
      without_front({held->stretch()}, offset - held->part().offset));
}

std::unique_ptr<io::Source> VolumesAtHand::open_blob(const image::Descriptor& wanted, std::uint64_t offset) {
  const Blob& blob = m_blobs->find(wanted);
  if (!has(blob))
    throw diag::InternalError(blob.digest.str() + " was asked for, and its volumes are not at hand");
  std::vector<Stretch> stretches;
  std::map<std::size_t, std::string> paths;
  std::uint64_t done = 0;
  do {
    const HeldPart held = *part_with(blob, done);
    stretches.push_back(held.stretch());
    paths.emplace(stretches.back().volume, held.volume->path);
    done = held.part().offset + held.part().size;
  } while (done < blob.stored_size);
  return std::make_unique<PiecesSource>(
      [paths = std::move(paths)](std::size_t volume) { return open_following(paths.at(volume)); },
      without_front(std::move(stretches), offset));
}

LeftOut VolumesAtHand::read_manifests(const Bring& bring, Damaged damaged) {
  std::vector<Finding> findings;
  bool bringing = false;  // what it throws is no damage
  const Bring watched = [&](const Blob& blob, std::uint64_t offset) {
    bringing = true;
    bring(blob, offset);
    bringing = false;
  };
  for (const Blob& blob : m_info.blobs) {
    if (blob.kind != BlobKind::manifest) break;
    try {
      const auto bytes = open_in_turn(*this, blob, watched);
      m_manifests.emplace(blob.digest, read_verified(*bytes, blob));
    } catch (const diag::IntegrityError& error) {
      if (bringing) throw;
      findings.push_back(finding_about(blob, error));
    }
  }
  if (findings.empty()) return {};
  return judge(std::move(findings), damaged);
}

Finding VolumesAtHand::finding_about(const Blob& blob, const diag::Error& error) const {
  Finding finding = finding_of(error, blob_path(blob.digest));
  if (const auto held = part_with(blob, 0))
    finding.file = fmt::format("{}: {}", held->volume->name, finding.file);
  finding.blobs.push_back(blob.digest);
  return finding;
}

LeftOut VolumesAtHand::judge(std::vector<Finding> findings, Damaged damaged) {
  Inspection manifests;
  manifests.info = m_info;
  manifests.findings = std::move(findings);
  for (const Blob& blob : m_info.blobs) {
    if (m_manifests.contains(blob.digest)) manifests.readable.push_back(blob);
  }
  manifests.blob_bytes = [this](const Blob& blob, std::uint64_t) {
    return std::make_unique<io::MemorySource>(m_manifests.at(blob.digest));
  };
  const std::string where = parent_of(m_of.path);
  if (damaged == Damaged::refused) refuse_damaged(manifests, where);
  LeftOut left_out = leave_out_damaged(manifests, where);
  m_info.images = std::move(manifests.info->images);
  return left_out;
}

std::string VolumesAtHand::read_manifest(const image::Descriptor& wanted) {
  const auto found = m_manifests.find(m_blobs->find(wanted).digest);
  if (found == m_manifests.end())
    throw diag::UnsafeError(wanted.digest.str() +
                            " is used as a manifest, and bundle.json does not call it one");
  return found->second;
}

}  // namespace airgap::bundle
