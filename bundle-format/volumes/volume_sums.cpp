#include "bundle-format/volumes/volume_sums.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "bundle-format/metadata/bundle_json.hpp"
#include "bundle-format/metadata/layout.hpp"
#include "bundle-format/metadata/sums.hpp"
#include "common/diag/error.hpp"
#include "common/text/escape.hpp"

namespace airgap::bundle {
namespace {

const std::size_t k_hex_digits = hash::digest_size(hash::Algorithm::sha256) * 2;

std::string comment_of(const VolumeInfo& info) {
  return fmt::format("airgap bundle format {}, stream {}, sequence {}, {}", k_format, info.stream,
                     info.sequence, info.str());
}

std::vector<std::string> sorted_names(const std::vector<std::string>& head, const VolumeInfo& info) {
  std::vector<std::string> names = head;
  names.emplace_back(k_volume_file);
  for (const Part& part : info.parts) names.push_back(part_path(part));
  std::ranges::sort(names);
  return names;
}

}  // namespace

std::string write_volume_sums(const VolumeInfo& info, const VolumeSums& files) {
  return write_sums({.comment = comment_of(info), .files = files});
}

std::uint64_t sums_line_size(const std::string& name) {
  return k_hex_digits + 2 + name.size() + 1;
}

std::uint64_t volume_sums_size(const std::vector<std::string>& head, const VolumeInfo& info) {
  std::uint64_t size = write_volume_sums(info, {}).size() + sums_line_size(std::string(k_volume_file));
  for (const std::string& name : head) size += sums_line_size(name);
  for (const Part& part : info.parts) size += sums_line_size(part_path(part));
  return size;
}

VolumeSums parse_volume_sums(std::string_view bytes, const std::vector<std::string>& head,
                             const VolumeInfo& info) {
  const std::string start = write_volume_sums(info, {});
  if (!bytes.starts_with(start))
    throw diag::FormatError(fmt::format("its first line is not '{}'", start.substr(0, start.size() - 1)));
  bytes.remove_prefix(start.size());
  VolumeSums sums;
  std::size_t number = 1;
  for (std::string& name : sorted_names(head, info)) {
    ++number;
    const std::string_view line = bytes.substr(0, sums_line_size(name));
    if (!line.ends_with(fmt::format("  {}\n", name)) || line.size() != sums_line_size(name)) {
      throw diag::FormatError(fmt::format("line {}: expected the check sum of {}, found '{}'", number, name,
                                          text::escape(line.substr(0, line.find('\n')))));
    }
    bytes.remove_prefix(line.size());
    const auto digest = hash::Digest::parse(fmt::format("sha256:{}", line.substr(0, k_hex_digits)));
    sums.emplace(std::move(name), digest);
  }
  if (!bytes.empty()) throw diag::FormatError("bytes follow the last line");
  return sums;
}

}  // namespace airgap::bundle
