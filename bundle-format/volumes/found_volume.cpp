#include "bundle-format/volumes/found_volume.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <string_view>

#include "bundle-format/metadata/creation_time.hpp"
#include "bundle-format/metadata/layout.hpp"
#include "bundle-format/metadata/limits.hpp"
#include "bundle-format/open_following.hpp"
#include "bundle-format/volumes/volume_layout.hpp"
#include "bundle-format/volumes/volume_sums.hpp"
#include "common/diag/error.hpp"
#include "common/hash/hasher.hpp"
#include "common/io/file.hpp"
#include "common/tar/tar_layout.hpp"
#include "common/text/escape.hpp"
#include "common/text/listed.hpp"

namespace airgap::bundle {
namespace {

/// The front of a volume.
struct Front {
  std::vector<tar::Member> files;  ///< the metadata, in archive order
  std::uint64_t mtime = 0;
  std::string sums;  ///< SHA256SUMS
  std::string json;  ///< volume.json
};

/// Nothing where the file ends before.
std::optional<std::string> read(const io::File& file, std::uint64_t offset, std::uint64_t length) {
  if (length > file.size()) return std::nullopt;
  std::string bytes(static_cast<std::size_t>(length), '\0');
  if (file.read_at(offset, std::as_writable_bytes(std::span(bytes))) != bytes.size()) return std::nullopt;
  return bytes;
}

/// Hops from header to header.
std::optional<Front> read_front(const io::File& file) {
  constexpr std::size_t k_most_hops = 8;
  Front front;
  std::uint64_t offset = 0;
  for (std::size_t hop = 0; hop < k_most_hops; ++hop) {
    const auto block = read(file, offset, tar::k_block);
    const auto header = block ? tar::parse_header(*block) : std::nullopt;
    if (!header || (hop == 0 && header->member.name != k_oci_layout_file)) return std::nullopt;
    const tar::Member& member = header->member;
    const bool is_volume_json = member.name == k_volume_file;
    const auto cap = is_volume_json ? k_max_volume_json : metadata_cap(member.name).value_or(k_max_sums);
    if (member.size > cap) return std::nullopt;
    offset += tar::k_block;
    if (is_volume_json || member.name == k_sha256_file) {
      auto bytes = read(file, offset, member.size);
      if (!bytes) return std::nullopt;
      (is_volume_json ? front.json : front.sums) = std::move(*bytes);
    } else if (!metadata_cap(member.name) && member.name != k_signature_file) {
      return std::nullopt;
    }
    if (is_volume_json) return front.sums.empty() ? std::nullopt : std::optional(std::move(front));
    front.mtime = header->mtime;
    front.files.push_back(member);
    offset += tar::padded(member.size);
  }
  return std::nullopt;
}

/// What SHA256SUMS.volume lists under a name, however damaged the rest of it is.
std::optional<hash::Digest> listed(std::string_view sums, std::string_view name) {
  const std::string end = fmt::format("  {}\n", name);
  const std::size_t digits = hash::digest_size(hash::Algorithm::sha256) * 2;
  const std::size_t at = sums.find(end);
  if (at == sums.npos || at < digits) return std::nullopt;
  try {
    return hash::Digest::parse(fmt::format("sha256:{}", sums.substr(at - digits, digits)));
  } catch (const diag::FormatError&) {
    return std::nullopt;
  }
}

/// SHA256SUMS.volume, where it lies when volume.json is right; nothing when it is not written yet, cut off,
/// or cannot be read.
std::optional<std::string> read_volume_sums(const io::File& file, const VolumeLayout& layout) {
  const tar::Place& place = layout.sums_place();
  try {
    if (read(file, place.header, place.header_size) != layout.sums_header()) return std::nullopt;
    return read(file, place.data, place.size);
  } catch (const diag::StorageError&) {
    return std::nullopt;
  }
}

bool is_for(std::string_view sums, const Front& front, const VolumeInfo& info) {
  std::vector<std::string> names;
  for (const tar::Member& file : front.files) names.push_back(file.name);
  try {
    parse_volume_sums(sums, names, info);
    return true;
  } catch (const diag::FormatError&) {
    return false;
  }
}

/// Compares what is there with what SHA256SUMS.volume says of it.
void hear_second_witness(const io::File& file, const Front& front, const VolumeInfo& info,
                         FoundVolume& volume) {
  const VolumeLayout layout(front.files, info, front.mtime);
  volume.cut = file.size() < layout.length();
  const auto sums = read_volume_sums(file, layout);
  if (!sums) return;
  const auto contents = listed(*sums, k_sha256_file);
  if (contents && *contents != volume.contents.front()) volume.contents.push_back(*contents);
  const auto json = listed(*sums, k_volume_file);
  volume.head_damaged = json && *json != hash::sha256_of(front.json) && !is_for(*sums, front, info);
}

}  // namespace

bool same_bundle(const FoundVolume& a, const FoundVolume& b) {
  return a.count == b.count && std::ranges::find_first_of(a.contents, b.contents) != a.contents.end();
}

bool same_volume(const FoundVolume& a, const FoundVolume& b) {
  return same_bundle(a, b) && a.number == b.number && a.contents == b.contents && a.json == b.json;
}

std::string described(const FoundVolume& volume) {
  return described(std::vector{volume});
}

std::string described(const std::vector<FoundVolume>& volumes) {
  const FoundVolume& first = volumes.front();
  std::vector<std::size_t> numbers;
  for (const FoundVolume& volume : volumes) numbers.push_back(volume.number);
  std::ranges::sort(numbers);
  const auto twice = std::ranges::unique(numbers);
  numbers.erase(twice.begin(), twice.end());
  const std::string files = volumes.size() == 1 ? "" : fmt::format(" and {} more", volumes.size() - 1);
  return fmt::format("{}{} {} {} of {} of stream {} sequence {}, created {}", text::escape(first.path), files,
                     volumes.size() == 1 ? "is" : "are",
                     numbers.size() == 1 ? fmt::format("volume {}", numbers.front())
                                         : fmt::format("volumes {}", text::ranges(numbers)),
                     first.count, first.stream, first.sequence, created_text(first.created));
}

std::optional<FoundVolume> look_for_volume(const std::string& path) {
  const auto file = open_following(path);
  const auto front = read_front(*file);
  if (!front) return std::nullopt;
  const VolumeInfo info = diag::with_context([&] { return "reading " + text::escape(path); },
                                             [&] { return parse_volume_json(front->json); });
  FoundVolume volume{.path = path,
                     .stream = info.stream,
                     .sequence = info.sequence,
                     .number = info.number,
                     .count = info.count,
                     .unfinished = path.ends_with(k_partial_ending),
                     .contents = {hash::sha256_of(front->sums)},
                     .created = front->mtime,
                     .json = hash::sha256_of(front->json)};
  hear_second_witness(*file, *front, info, volume);
  return volume;
}

}  // namespace airgap::bundle
