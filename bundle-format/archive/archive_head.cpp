#include "bundle-format/archive/archive_head.hpp"

#include <fmt/format.h>

#include "bundle-format/metadata/layout.hpp"
#include "bundle-format/metadata/limits.hpp"
#include "bundle-format/unpacked_source.hpp"
#include "common/diag/error.hpp"
#include "common/io/ends_early.hpp"
#include "common/tar/tar_layout.hpp"
#include "common/text/escape.hpp"
#include "common/text/human_size.hpp"

namespace airgap::bundle {
namespace {

constexpr std::size_t k_magic_offset = 257;  // of "ustar" in a header

std::string_view stated_name(std::string_view header) {
  const std::string_view field = header.substr(0, tar::k_max_ustar_name);
  return field.substr(0, field.find('\0'));
}

std::size_t cap_of(std::string_view name) {
  return name == k_volume_file ? k_max_volume_json : metadata_cap(name).value_or(k_max_signature);
}

// A foreign file is the user's mistake and a damaged bundle is not, so one wrong bit must not make the first
// of the second: our first name or the mark of tar is enough to be taken for a bundle, unless a good header
// says another name.
void refuse_foreign(std::string_view header, From from) {
  if (header.empty() && from == From::pipe) throw io::EndsEarly("nothing came");
  if (header.size() < tar::k_block) {  // less than a header: a beginning of ours was cut
    if (header.starts_with(k_oci_layout_file) || k_oci_layout_file.starts_with(header)) return;
    if (k_zstd_magic.starts_with(header))
      throw io::EndsEarly(fmt::format("it is cut: got {}", text::counted(header.size(), "byte")),
                          "copy it again, or export it again");
    refuse_as_no_bundle(header, from);
  }
  const bool marked = header.substr(k_magic_offset, 5) == "ustar";
  const bool named = stated_name(header) == k_oci_layout_file;
  const auto parsed = tar::parse_header(header);
  if (named || (marked && !(parsed && parsed->member.name != k_oci_layout_file))) return;
  if (header.find_first_not_of('\0') == header.npos)
    throw diag::IntegrityError("it begins with zeros, so it is unfinished or damaged",
                               "run the export again, or copy it again");
  refuse_as_no_bundle(header, from);
}

// A first header whose check sum is right was not damaged: no single wrong bit makes it so.
void refuse_other_tar(std::string_view block) {
  if (!tar::has_right_sum(block)) return;
  throw diag::UsageError("it is a tar that airgap-export did not write: another tool packed it",
                         "a bundle in a directory needs no tar: unpack it with 'tar xf' and push the "
                         "directory; or have the archive written by 'airgap-export pull --output FILE.tar'");
}

class HeadReader {
 public:
  HeadReader(ExactReader& archive, From from) : m_archive(archive), m_from(from) {}

  ArchiveHead run() {
    refuse_foreign(m_archive.peek_at_most(tar::k_block), m_from);
    for (const std::string_view name : {k_oci_layout_file, k_index_file, k_bundle_file, k_docker_file})
      take(name);
    if (next_is(k_sha512_file)) take(k_sha512_file);
    take(k_sha256_file);
    if (!ends_in_damage() && next_is(k_signature_file)) take(k_signature_file);
    if (!ends_in_damage() && next_is(k_volume_file)) {
      take(k_volume_file);
      m_head.volume = std::move(m_head.files.back().bytes);
      m_head.files.pop_back();
    }
    return std::move(m_head);
  }
  std::vector<MetadataFile> files() const { return m_head.files; }

 private:
  bool next_is(std::string_view name) {
    return stated_name(m_archive.peek(tar::k_block,
                                      fmt::format("the header after {}", m_head.files.back().name))) == name;
  }

  // What cannot be read behind a whole head is in all likelihood the first blob's, and is judged as that.
  bool ends_in_damage() {
    if (m_from == From::pipe) return false;
    try {
      m_archive.peek(tar::k_block, "what follows the head");
      return false;
    } catch (const io::EndsEarly&) {
      throw;
    } catch (const diag::IntegrityError&) {
      return true;
    }
  }

  void take(std::string_view name) {
    const std::string what = fmt::format("the header of {}", name);
    const std::uint64_t at = m_archive.position();
    const std::string block = m_archive.take(tar::k_block, what);
    const auto header = tar::parse_header(block);
    if (!header) {
      if (m_head.files.empty()) refuse_other_tar(block);
      throw diag::IntegrityError(fmt::format("{} at byte {} is damaged, or is not there", what, at),
                                 "copy the archive again, or write it again");
    }
    if (header->member.name != name)
      throw diag::UnsafeError(fmt::format("expected {} at byte {} of the archive, found '{}'", name, at,
                                          text::escape(header->member.name)));
    if (m_head.files.empty()) m_head.mtime = header->mtime;
    if (header->mtime != m_head.mtime)
      throw diag::IntegrityError(
          fmt::format("{} at byte {} has another time than those before it", what, at));
    const std::uint64_t size = header->member.size;
    const std::size_t cap = cap_of(name);
    if (size > cap)
      throw diag::UnsafeError(
          fmt::format("{} states {} bytes for {}, over the limit of {}", what, size, name, cap));
    m_head.files.push_back({std::string(name), m_archive.take(size, name)});
    m_archive.expect_zeros(tar::padded(size) - size, fmt::format("the padding after {}", name));
  }

  ExactReader& m_archive;
  From m_from;
  ArchiveHead m_head;
};

}  // namespace

FoundMetadata ArchiveHead::by_name() const {
  FoundMetadata found;
  for (const MetadataFile& file : files) {
    if (file.name != k_signature_file) found.emplace(file.name, file.bytes);
  }
  return found;
}

ArchiveHead read_archive_head(ExactReader& archive, From from, std::vector<MetadataFile>* front) {
  HeadReader reader(archive, from);
  try {
    return reader.run();
  } catch (const diag::Error&) {
    if (front != nullptr) *front = reader.files();
    throw;
  }
}

}  // namespace airgap::bundle
