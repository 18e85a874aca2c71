#include "bundle-format/volumes/volume_plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

#include "bundle-format/metadata/layout.hpp"
#include "bundle-format/volumes/volume_sums.hpp"
#include "common/diag/error.hpp"
#include "common/text/human_size.hpp"

namespace airgap::bundle {
namespace {

constexpr std::array<std::size_t, 3> k_highest{9, 99, k_max_volumes};  ///< counts of one, two, three digits

/// Header, bytes and padding.
std::uint64_t member_length(std::string name, std::uint64_t size) {
  return tar::lay_out({{std::move(name), size}}).end - tar::k_end_size;
}

/// How long one volume gets while parts are put into it.
class Filling {
 public:
  Filling(const std::vector<tar::Member>& head, const VolumeInfo& empty, std::uint64_t limit)
      : m_limit(limit),
        m_fixed(tar::lay_out(head).end),
        m_json(write_volume_json(empty).size()),
        m_sums(volume_sums_size(names(head), empty)) {}

  /// With one part more that takes so many bytes in the archive.
  std::uint64_t length_with(const Part& part, std::uint64_t in_archive) const {
    const std::uint64_t comma = m_parts == 0 ? 0 : 1;
    return length(m_json + comma + entry_of(part).size(), m_sums + sums_line_size(part_path(part)),
                  m_members + in_archive);
  }
  bool takes(const Part& part) const {
    return length_with(part, member_length(part_path(part), part.size)) <= m_limit;
  }
  /// The bytes of the front of `rest` that still fit: whole blocks, and less than all of it; 0 for none.
  std::uint64_t room_for(const Part& rest) const {
    const std::uint64_t header = member_length(part_path(rest), rest.size) - tar::padded(rest.size);
    const std::uint64_t without = length_with(rest, header);
    if (rest.size == 0 || without >= m_limit) return 0;
    const std::uint64_t room = (m_limit - without) / tar::k_block * tar::k_block;
    return std::min(room, (rest.size - 1) / tar::k_block * tar::k_block);
  }
  void add(const Part& part) {
    m_json += (m_parts == 0 ? 0 : 1) + entry_of(part).size();
    m_sums += sums_line_size(part_path(part));
    m_members += member_length(part_path(part), part.size);
    ++m_parts;
  }
  std::uint64_t empty_length() const { return length(m_json, m_sums, 0); }

 private:
  static std::vector<std::string> names(const std::vector<tar::Member>& head) {
    std::vector<std::string> list;
    list.reserve(head.size());
    for (const tar::Member& member : head) list.push_back(member.name);
    return list;
  }
  std::uint64_t length(std::uint64_t json, std::uint64_t sums, std::uint64_t members) const {
    return m_fixed + member_length(std::string(k_volume_file), json) + members +
           member_length(std::string(k_volume_sums_file), sums);
  }

  std::uint64_t m_limit;
  std::uint64_t m_fixed;  ///< head and end
  std::uint64_t m_json;
  std::uint64_t m_sums;
  std::uint64_t m_members = 0;
  std::size_t m_parts = 0;
};

/// Puts blobs into volumes in order.
class Distribution {
 public:
  Distribution(const std::vector<tar::Member>& head, const BundleInfo& info, std::uint64_t volume_size,
               std::size_t count)
      : m_head(head), m_info(info), m_limit(volume_size), m_count(count) {
    open_volume();
  }

  /// Empty when there are more than `count`.
  std::vector<VolumeInfo> run() {
    for (const Blob& blob : m_info.blobs) {
      for (Part rest{.digest = blob.digest, .size = blob.stored_size}; place(rest);) {
        if (m_volumes.size() == m_count) return {};
        open_volume();
      }
    }
    return std::move(m_volumes);
  }

 private:
  void open_volume() {
    m_volumes.push_back({.stream = m_info.stream,
                         .sequence = m_info.sequence,
                         .number = m_volumes.size() + 1,
                         .count = m_count,
                         .parts = {}});
    m_filling.emplace(m_head, m_volumes.back(), m_limit);
  }

  /// True when some of it is left for the next volume.
  bool place(Part& rest) {
    if (m_filling->takes(rest)) {
      add(rest);
      return false;
    }
    Part piece = rest;
    if (piece.number == 0) piece.number = 1;
    piece.size = m_filling->room_for(piece);
    if (piece.size > 0) {
      add(piece);
      rest.number = piece.number + 1;
      rest.offset += piece.size;
      rest.size -= piece.size;
    } else if (m_volumes.back().parts.empty()) {
      refuse_small();
    }
    return true;
  }

  void add(const Part& part) {
    m_filling->add(part);
    m_volumes.back().parts.push_back(part);
  }

  [[noreturn]] void refuse_small() const {
    constexpr std::uint64_t k_more = std::uint64_t{64} * 1024;
    const std::uint64_t head = m_filling->empty_length();
    throw diag::UsageError(
        fmt::format("volumes of {} bytes are too small: each begins with {} bytes that say "
                    "what the bundle holds",
                    m_limit, head),
        fmt::format("choose {} bytes or more", head + k_more));
  }

  const std::vector<tar::Member>& m_head;
  const BundleInfo& m_info;
  std::uint64_t m_limit;
  std::size_t m_count;
  std::vector<VolumeInfo> m_volumes;
  std::optional<Filling> m_filling;
};

std::vector<VolumeInfo> distribute(const std::vector<tar::Member>& head, const BundleInfo& info,
                                   std::uint64_t volume_size) {
  // The count stands in each volume, so how many digits it has is settled first.
  for (const std::size_t highest : k_highest) {
    auto volumes = Distribution(head, info, volume_size, highest).run();
    if (volumes.empty()) continue;
    for (VolumeInfo& volume : volumes) volume.count = volumes.size();
    return volumes;
  }
  constexpr std::uint64_t k_around = 2048;  ///< bytes beside a blob's own, about
  const std::uint64_t needed =
      tar::lay_out(head).end + 2 * (info.stored_bytes() + info.blobs.size() * k_around) / k_max_volumes;
  throw diag::UsageError(
      fmt::format("{} in volumes of {} would be more than {} of them", text::human_size(info.stored_bytes()),
                  text::human_size(volume_size), k_max_volumes),
      fmt::format("choose a larger size: {} will do", text::human_size(needed)));
}

}  // namespace

VolumePlan plan_volumes(std::vector<MetadataFile> metadata, const BundleInfo& info,
                        std::uint64_t volume_size) {
  const std::vector<tar::Member> head = members_of(metadata);
  std::vector<VolumeInfo> volumes = distribute(head, info, volume_size);
  VolumePlan plan{.metadata = std::move(metadata),
                  .blobs = info.blobs,
                  .volumes = {},
                  .parts = std::vector<std::vector<PartIndex>>(info.blobs.size()),
                  .index = {}};
  for (std::size_t i = 0; i < plan.blobs.size(); ++i) plan.index.emplace(plan.blobs[i].digest, i);
  const std::uint64_t mtime = created_seconds(info.created);
  for (VolumeInfo& volume : volumes) {
    const std::size_t number = plan.volumes.size();
    for (std::size_t i = 0; i < volume.parts.size(); ++i)
      plan.parts[plan.index.at(volume.parts[i].digest)].push_back({number, i});
    plan.volumes.emplace_back(head, std::move(volume), mtime);
  }
  return plan;
}

}  // namespace airgap::bundle
