#include "bundle-format/metadata/sums.hpp"

#include <fmt/format.h>

#include "bundle-format/metadata/layout.hpp"
#include "common/diag/error.hpp"
#include "common/hash/hasher.hpp"
#include "common/text/escape.hpp"

namespace airgap::bundle {
namespace {

[[noreturn]] void refuse(std::size_t number, std::string_view line, std::string_view why) {
  throw diag::FormatError(
      fmt::format("line {} of the check sums: {}: '{}'", number, why, text::escape(line)));
}

bool is_bundle_path(std::string_view path) {
  return digest_of_path(path).has_value() || (metadata_cap(path) && path != k_sha256_file);
}

// A blob's name is its digest, so a line that says otherwise is wrong whatever the file holds.
void check_blob_line(std::size_t number, std::string_view line, const std::string& path,
                     const hash::Digest& digest) {
  const auto named = digest_of_path(path);
  if (named && *named != digest) refuse(number, line, "another digest than its name says");
}

}  // namespace

std::string write_sums(const Sums& sums) {
  std::string text;
  if (!sums.comment.empty()) text = "# " + sums.comment + "\n";
  for (const auto& [path, digest] : sums.files) text += digest.hex() + "  " + path + "\n";
  return text;
}

Sums parse_sums(std::string_view bytes, hash::Algorithm algorithm) {
  const std::size_t digits = hash::digest_size(algorithm) * 2;
  Sums sums;
  std::size_t number = 0;
  while (!bytes.empty()) {
    ++number;
    const std::size_t end = bytes.find('\n');
    const std::string_view line = bytes.substr(0, end);
    if (end == bytes.npos) refuse(number, line, "the line has no end");
    bytes.remove_prefix(end + 1);
    if (number == 1 && line.size() > 2 && line.starts_with("# ")) {
      sums.comment = line.substr(2);
      continue;
    }
    if (line.size() < digits + 3 || line.substr(digits, 2) != "  ")
      refuse(number, line, "not a check sum and a name");
    std::string path(line.substr(digits + 2));
    if (!is_bundle_path(path)) refuse(number, line, "no name that a bundle has");
    const hash::Digest digest =
        hash::Digest::parse(fmt::format("{}:{}", hash::name(algorithm), line.substr(0, digits)));
    check_blob_line(number, line, path, digest);
    if (!sums.files.empty() && path <= sums.files.rbegin()->first)
      refuse(number, line, "not in order, or twice");
    sums.files.emplace_hint(sums.files.end(), std::move(path), digest);
  }
  return sums;
}

Sums sha256_sums(const BundleInfo& info, const std::vector<MetadataFile>& others) {
  Sums sums;
  sums.comment =
      fmt::format("airgap bundle format {}, stream {}, sequence {}", info.format, info.stream, info.sequence);
  for (const MetadataFile& file : others) sums.files.emplace(file.name, hash::sha256_of(file.bytes));
  for (const Blob& blob : info.blobs) {
    if (blob.digest.algorithm() == hash::Algorithm::sha256)
      sums.files.emplace(blob_path(blob.digest), blob.digest);
  }
  return sums;
}

Sums sha512_sums(const BundleInfo& info) {
  Sums sums;
  for (const Blob& blob : info.blobs) {
    if (blob.digest.algorithm() == hash::Algorithm::sha512)
      sums.files.emplace(blob_path(blob.digest), blob.digest);
  }
  return sums;
}

}  // namespace airgap::bundle
