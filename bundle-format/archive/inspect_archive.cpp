#include <fmt/format.h>

#include <algorithm>

#include "bundle-format/archive/archive_head.hpp"
#include "bundle-format/archive/archive_plan.hpp"
#include "bundle-format/archive/tar_bytes.hpp"
#include "bundle-format/inspection.hpp"
#include "bundle-format/metadata/layout.hpp"
#include "bundle-format/unfinished.hpp"
#include "common/text/escape.hpp"

namespace airgap::bundle {
namespace {

constexpr auto k_copy_hint = "copy it again, or export it again";

class ArchiveInspection {
 public:
  ArchiveInspection(const std::string& path, Depth depth)
      : m_tar(open_tar(path)), m_size(m_tar->size()), m_path(path), m_depth(depth) {}

  Inspection run() {
    m_result.form = m_tar->form();
    m_result.unfinished = m_path.ends_with(k_partial_ending);
    if (m_result.unfinished)
      add(std::string(k_archive_end), "the bundle is unfinished", hint_for_unfinished(m_path));
    if (auto finding = m_tar->finding()) m_result.findings.push_back(std::move(*finding));
    auto head = read_head();
    if (!head) head = read_head_without_table();
    if (!head) return std::move(m_result);
    MetadataCheck check = check_metadata(head->by_name());
    for (Finding& finding : check.findings) m_result.findings.push_back(std::move(finding));
    m_result.info = std::move(check.info);
    m_result.sums = check.sums;
    if (m_result.info) look_at_files(std::move(*head), check.trusted);
    return std::move(m_result);
  }

 private:
  void add(std::string file, std::string problem, std::string hint = {}) {
    m_result.findings.push_back(
        {.file = std::move(file), .problem = std::move(problem), .images = {}, .hint = std::move(hint)});
  }

  std::optional<ArchiveHead> read_head() {
    std::vector<MetadataFile> front;
    try {
      const auto bytes = m_tar->open(0, m_size);
      ExactReader reader(*bytes);
      ArchiveHead head = read_archive_head(reader, From::file, &front);
      for (const MetadataFile& file : head.files) m_result.metadata_bytes += file.bytes.size();
      m_result.files = head.files.size();
      return head;
    } catch (const diag::UsageError& error) {
      throw diag::UsageError(text::escape(m_path) + ": " + error.message(), error.hint());
    } catch (const diag::Error& error) {
      m_result.findings.push_back(finding_of(error, "head of the archive"));
      name_images(front);
      return std::nullopt;
    }
  }

  /// Behind a bundle.json that can be read the damage is still every image's, and they have names.
  void name_images(const std::vector<MetadataFile>& front) {
    const auto file = std::ranges::find(front, k_bundle_file, &MetadataFile::name);
    if (file == front.end()) return;
    try {
      m_result.info = parse_bundle_json(file->bytes);
    } catch (const diag::Error&) {
      m_result.info.reset();  // it is damaged, too
    }
  }

  /// A seek table that lies about the first frames makes a good head unreadable.
  std::optional<ArchiveHead> read_head_without_table() {
    const std::shared_ptr<const TarBytes> table = m_tar;
    const std::vector<Finding> findings = m_result.findings;
    if (!disbelieve_table()) return std::nullopt;
    if (auto head = read_head()) {
      std::erase_if(m_result.findings,
                    [&](const Finding& finding) { return std::ranges::count(findings, finding) > 0; });
      return head;
    }
    m_tar = table;
    m_size = m_tar->size();
    m_result.findings = findings;
    return std::nullopt;
  }

  /// Goes on by the frames themselves. False where there is no table.
  bool disbelieve_table() {
    auto tar = m_tar->without_table();
    if (!tar) return false;
    m_tar = std::move(tar);
    m_size = m_tar->size();
    m_result.findings.push_back(m_tar->finding().value());
    return true;
  }

  void look_at_files(ArchiveHead head, bool trusted) {
    auto plan = std::make_shared<ArchivePlan>(std::move(head.files), *m_result.info);
    for (MetadataFile& file : plan->metadata) std::string().swap(file.bytes);  // read; the reader lives long
    // Another bundle.json would want other frames.
    if (trusted && m_depth == Depth::files && !m_tar->follows(*plan)) disbelieve_table();
    m_result.blob_bytes = [tar = m_tar, plan](const Blob& blob, std::uint64_t offset) {
      const auto found = plan->index.find(blob.digest);
      if (found == plan->index.end())
        throw diag::IntegrityError(blob.digest.str() + " is not in the archive");
      const tar::Place& place = plan->place_of(found->second);
      return tar->open(place.data + offset, place.size - offset);
    };
    if (head.mtime != plan->mtime)
      add(std::string(k_oci_layout_file), "the time in the headers is not the time in bundle.json");
    if (m_depth == Depth::metadata) return;
    const std::uint64_t expected = plan->layout.end;
    if (m_size < expected)
      add(std::string(k_archive_end), fmt::format("it is cut: got {} of {} bytes", m_size, expected),
          k_copy_hint);
    else if (m_size > expected)
      add(std::string(k_archive_end),
          fmt::format("expected {} bytes, and {} more follow", expected, m_size - expected), k_copy_hint);
    // A changed bundle.json that is readable still says where blobs are, but only if all of it fits.
    if (trusted || m_size == expected) look_at_blobs(*plan);
  }

  void look_at_blobs(const ArchivePlan& plan) {
    std::uint64_t before =
        plan.layout.places[plan.metadata.size() - 1].end();  // padding of what is before was seen
    std::string name = plan.metadata.back().name;
    for (std::size_t i = 0; i < plan.blobs.size(); ++i) {
      const tar::Place& place = plan.place_of(i);
      const std::string padding(place.header - before, '\0');
      const std::string header = plan.header_of(i);
      const auto found = read(before, padding.size() + header.size());
      // What is cut has its finding.
      if (found && place.header <= m_size && found->substr(0, padding.size()) != padding)
        add(name, "the padding after it is damaged");
      name = blob_path(plan.blobs[i].digest);
      if (place.end() > m_size) {
        add(name, "it is missing: the archive is cut before its end");
      } else {
        check_header(name, found ? found->substr(padding.size()) : std::string(), header);
        m_result.readable.push_back(plan.blobs[i]);
        ++m_result.files;
      }
      before = place.data + place.size;
    }
    const std::uint64_t tail = plan.layout.end - before;
    if (m_size >= plan.layout.end && read(before, tail) != std::string(tail, '\0'))
      add(std::string(k_archive_end), "the padding or the two zero blocks at the end are damaged");
  }

  void check_header(const std::string& name, std::string_view found, std::string_view expected) {
    if (found == expected) return;
    const bool unwritten = !found.empty() && found.find_first_not_of('\0') == found.npos;
    add(name, unwritten ? "its header is not written: the archive is unfinished" : "its header is damaged",
        k_copy_hint);
  }

  /// Nothing where they cannot be decompressed.
  std::optional<std::string> read(std::uint64_t offset, std::uint64_t length) const {
    try {
      return read_text(*m_tar, offset, length);
    } catch (const diag::IntegrityError&) {
      return std::nullopt;
    }
  }

  std::shared_ptr<const TarBytes> m_tar;
  std::uint64_t m_size;
  std::string m_path;
  Depth m_depth;
  Inspection m_result;
};

}  // namespace

Inspection inspect_archive(const std::string& path, Depth depth) {
  return ArchiveInspection(path, depth).run();
}

}  // namespace airgap::bundle
