#include "bundle-format/volumes/volume_check.hpp"

#include <fmt/format.h>

#include <filesystem>

#include "bundle-format/metadata/layout.hpp"
#include "bundle-format/open_following.hpp"
#include "common/hash/hasher.hpp"
#include "common/io/file.hpp"
#include "common/text/escape.hpp"

namespace airgap::bundle {
namespace {

constexpr auto k_copy_hint = "copy this volume again, or export again";

class Check {
 public:
  Check(const std::string& path, Depth depth) : m_file(open_following(path)), m_depth(depth) {
    m_result.path = path;
    m_result.name = text::escape(std::filesystem::path(path).filename().string());
    m_result.length = m_file->size();
  }

  CheckedVolume run() {
    read_head();
    if (m_result.layout && m_depth == Depth::files) {
      confirm_json();
      if (m_result.json_as_listed) look_at_files();
    }
    return std::move(m_result);
  }

 private:
  /// `vouched`: a check sum says that the bytes are as they were written.
  template <class Read>
  void examine(std::string_view file, bool vouched, Read&& read) {
    try {
      read();
    } catch (const diag::Error& error) {
      const bool damage = !vouched && error.kind() == diag::ErrorKind::unsafe;
      m_result.add(file, damage ? "it is damaged: " + error.message() : error.message(),
                   error.hint().empty() ? k_copy_hint : error.hint(),
                   damage ? diag::ErrorKind::integrity : error.kind());
    }
  }

  void read_head() {
    examine("head of the archive", true, [&] {
      io::FileRangeSource bytes(m_file, 0, m_result.length);
      ExactReader reader(bytes);
      m_result.head = read_archive_head(reader);
    });
    if (!m_result.head) return;
    const ArchiveHead& head = *m_result.head;
    if (!head.volume) return m_result.add(k_volume_file, "it is missing", k_copy_hint);
    examine(k_volume_file, json_is_listed(), [&] {
      VolumeLayout layout(members_of(head.files), parse_volume_json(*head.volume), head.mtime);
      if (layout.json() != *head.volume) throw diag::UnsafeError("it is not written as it should be");
      m_result.layout = std::move(layout);
    });
  }

  void confirm_json() {
    const auto listed = listed_json();
    if (!listed || *listed == json_digest()) return;
    m_result.json_as_listed = false;
    m_result.add(
        k_volume_file,
        fmt::format("{} says {}, found {}", k_volume_sums_file, text::escape(*listed), json_digest()),
        k_copy_hint);
  }

  bool json_is_listed() const {
    const auto listed = listed_json();
    return !listed || *listed == json_digest();
  }

  std::string json_digest() const { return hash::sha256_of(*m_result.head->volume).str(); }

  /// The last line of SHA256SUMS.volume is that of volume.json, and before the zeros at the end it is found
  /// even where volume.json is wrong about what lies where.
  std::optional<std::string> listed_json() const {
    constexpr std::uint64_t k_tail = tar::k_end_size + 2 * tar::k_block;  // bytes; has the line and zeros
    const std::string suffix = fmt::format("  {}\n", k_volume_file);
    const std::size_t digits = hash::digest_size(hash::Algorithm::sha256) * 2;
    const std::uint64_t length = std::min(k_tail, m_result.length);
    std::string end = read(m_result.length - length, length);
    end.erase(end.find_last_not_of('\0') + 1);
    if (!end.ends_with(suffix) || end.size() < digits + suffix.size()) return std::nullopt;
    return "sha256:" + end.substr(end.size() - suffix.size() - digits, digits);
  }

  void look_at_files() {
    const VolumeLayout& volume = *m_result.layout;
    if (m_result.length < volume.length())
      m_result.add(k_archive_end,
                   fmt::format("it is cut: got {} of {} bytes", m_result.length, volume.length()),
                   k_copy_hint);
    if (m_result.length > volume.length())
      m_result.add(k_archive_end,
                   fmt::format("expected {} bytes, and {} more follow", volume.length(),
                               m_result.length - volume.length()),
                   k_copy_hint);
    std::uint64_t before = volume.json_place().end();
    std::string name(k_volume_file);
    const auto& parts = volume.info().parts;
    for (std::size_t i = 0; i < parts.size(); ++i) {
      if (!m_result.has_bytes_of(i)) {
        m_result.add(part_path(parts[i]), "it is missing: the volume is cut before its end");
        continue;
      }
      check_between(name, part_path(parts[i]), before, volume.place_of(i), volume.header_of(i));
      name = part_path(parts[i]);
      before = volume.place_of(i).data + volume.place_of(i).size;
    }
    if (m_result.length < volume.length()) return;
    check_between(name, std::string(k_volume_sums_file), before, volume.sums_place(), volume.sums_header());
    read_sums();
    const std::uint64_t end = volume.sums_place().data + volume.sums_place().size;
    if (read(end, volume.length() - end) != std::string(volume.length() - end, '\0'))
      m_result.add(k_archive_end, "the padding or the two zero blocks at the end are damaged", k_copy_hint);
  }

  /// The padding after one member and the header of the next.
  void check_between(const std::string& name, const std::string& next, std::uint64_t before,
                     const tar::Place& place, const std::string& header) {
    const std::string padding(place.header - before, '\0');
    const std::string found = read(before, padding.size() + header.size());
    if (!found.starts_with(padding)) m_result.add(name, "the padding after it is damaged", k_copy_hint);
    if (std::string_view(found).substr(std::min(padding.size(), found.size())) != header)
      m_result.add(next, "its header is damaged, or not written", k_copy_hint);
  }

  void read_sums() {
    const VolumeLayout& volume = *m_result.layout;
    std::vector<std::string> head;
    for (const tar::Member& file : volume.head()) head.push_back(file.name);
    examine(k_volume_sums_file, false, [&] {
      m_result.sums =
          parse_volume_sums(read(volume.sums_place().data, volume.sums_place().size), head, volume.info());
    });
    if (m_result.sums.empty()) return;
    for (const MetadataFile& file : m_result.head->files) compare(file.name, hash::sha256_of(file.bytes));
    for (const Part& part : volume.info().parts) {
      if (part.number != 0 || part.digest.algorithm() != hash::Algorithm::sha256) continue;
      if (const auto sum = m_result.sum_of(part); sum != part.digest)
        m_result.add(k_volume_sums_file, fmt::format("it says {} of {}", sum->str(), part_path(part)),
                     k_copy_hint);
    }
  }

  void compare(const std::string& name, const hash::Digest& found) {
    const hash::Digest& listed = m_result.sums.at(name);
    if (listed != found)
      m_result.add(name, fmt::format("{} says {}, found {}", k_volume_sums_file, listed.str(), found.str()),
                   k_copy_hint);
  }

  std::string read(std::uint64_t offset, std::uint64_t length) const {
    std::string bytes(static_cast<std::size_t>(length), '\0');
    bytes.resize(m_file->read_at(offset, std::as_writable_bytes(std::span(bytes))));
    return bytes;
  }

  std::shared_ptr<const io::File> m_file;
  Depth m_depth;
  CheckedVolume m_result;
};

}  // namespace

void CheckedVolume::add(std::string_view file, std::string problem, std::string hint, diag::ErrorKind kind) {
  findings.push_back({.kind = kind,
                      .file = fmt::format("{}: {}", name, file),
                      .problem = std::move(problem),
                      .images = {},
                      .hint = std::move(hint)});
  if (const auto digest = digest_of_path(file.substr(0, file.find(k_part_ending))))
    findings.back().blobs.push_back(*digest);
}

bool CheckedVolume::has_bytes_of(std::size_t part) const {
  return layout->place_of(part).end() <= length;
}

bool CheckedVolume::only_cut() const {
  if (!layout || length >= layout->length()) return false;
  std::size_t lost = 0;
  for (std::size_t part = 0; part < layout->info().parts.size(); ++part) lost += has_bytes_of(part) ? 0 : 1;
  return findings.size() == lost + 1;
}

std::string CheckedVolume::fault() const {
  if (findings.empty()) return {};
  const Finding& first = findings.front();
  return fmt::format("{}: {}", first.file, first.problem);
}

std::optional<hash::Digest> CheckedVolume::sum_of(const Part& part) const {
  const auto found = sums.find(part_path(part));
  if (found == sums.end()) return std::nullopt;
  return found->second;
}

std::vector<hash::Digest> CheckedVolume::blobs() const {
  std::vector<hash::Digest> digests;
  for (const Part& part : layout->info().parts) digests.push_back(part.digest);
  return digests;
}

CheckedVolume check_volume(const std::string& path, Depth depth) {
  return Check(path, depth).run();
}

}  // namespace airgap::bundle
