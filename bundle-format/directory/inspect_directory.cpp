#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "bundle-format/directory/directory_survey.hpp"
#include "bundle-format/inspection.hpp"
#include "bundle-format/metadata/layout.hpp"
#include "bundle-format/metadata/metadata_check.hpp"
#include "bundle-format/partial_area.hpp"
#include "bundle-format/unfinished.hpp"
#include "common/diag/log.hpp"
#include "common/io/directory.hpp"
#include "common/text/escape.hpp"

namespace airgap::bundle {
namespace {

// A stick is named more easily than the file on it.
std::string where_one_may_be(const std::vector<io::Entry>& entries) {
  for (const io::Entry& entry : entries) {
    if (entry.kind == io::EntryKind::file && entry.name.ends_with(k_archive_ending))
      return fmt::format("name a file in it: {}", text::escape(entry.name));
  }
  return "name a directory or a .tar file that airgap-export wrote";
}

class DirectoryInspection {
 public:
  DirectoryInspection(const std::string& path, Depth depth)
      : m_root(std::make_shared<const io::Directory>(io::Directory::open(path))), m_depth(depth) {}

  Inspection run() {
    m_result.form = "directory";
    m_result.blob_bytes = [root = m_root](const Blob& blob, std::uint64_t offset) {
      auto file = std::make_shared<const io::File>(root->open_file(blob_path(blob.digest)));
      // One byte more than it should have: a file that grew is longer than declared, not cut to fit.
      return std::make_unique<io::FileRangeSource>(std::move(file), offset, blob.stored_size + 1 - offset);
    };
    read_root();
    MetadataCheck check = check_metadata(m_metadata);
    m_result.info = std::move(check.info);
    m_trusted = check.trusted;
    m_result.sums = check.sums;
    append(std::move(check.findings));
    if (m_depth == Depth::files) {
      append(std::move(m_strange));
      list_blobs();
      m_result.info ? compare_blobs() : take_what_is_there();
    }
    return std::move(m_result);
  }

 private:
  void append(std::vector<Finding> findings) {
    std::move(findings.begin(), findings.end(), std::back_inserter(m_result.findings));
  }
  void strange(const std::string& name, std::string problem, std::string hint = {}) {
    m_strange.push_back({.kind = diag::ErrorKind::unsafe,
                         .file = text::escape(name),
                         .problem = std::move(problem),
                         .images = {},
                         .hint = std::move(hint)});
  }

  void read_root() {
    const std::vector<io::Entry> entries = m_root->list();
    bool bundle = false;
    for (const io::Entry& entry : entries) bundle = read_entry(entry) || bundle;
    if (!bundle) {
      throw diag::UsageError(text::escape(m_root->path()) + " is no bundle: it has none of a bundle's files",
                             where_one_may_be(entries));
    }
    const bool partial = std::any_of(entries.begin(), entries.end(), [](const io::Entry& entry) {
      return entry.name == k_partial_directory;
    });
    m_result.unfinished = partial || !m_metadata.contains(k_sha256_file);
    if (m_result.unfinished) {
      std::erase_if(m_strange, [](const Finding& finding) { return is_temporary_name(finding.file); });
      m_result.findings.push_back(
          {.kind = diag::ErrorKind::integrity,
           .file = std::string(partial ? k_partial_directory : k_sha256_file),
           .problem = partial ? "the bundle is unfinished" : "the bundle is unfinished: it is not there",
           .images = {},
           .hint = hint_for_unfinished(PartialArea::lock_in(m_root->path()))});
    }
  }

  /// True for a name that only a bundle has at its top.
  bool read_entry(const io::Entry& entry) {
    const bool directory = entry.kind == io::EntryKind::directory;
    if (entry.name == k_partial_directory) return true;
    if (const auto cap = metadata_cap(entry.name)) {
      read_metadata(entry, *cap);
      return true;
    }
    if (entry.name == k_blobs_directory && directory) return m_has_blobs = true;
    if (entry.name == k_signature_file && entry.kind == io::EntryKind::file) return true;
    check_stranger(entry, entry.name);
    return false;
  }

  void read_metadata(const io::Entry& entry, std::size_t cap) {
    try {
      if (entry.kind != io::EntryKind::file) throw diag::UnsafeError("it is not a regular file");
      const auto& stored = m_metadata[entry.name] = m_root->read_file(entry.name, cap);
      m_result.metadata_bytes += stored.size();
      ++m_result.files;
    } catch (const diag::Error& error) {
      m_result.findings.push_back(finding_of(error, entry.name));
    }
  }

  void check_stranger(const io::Entry& entry, const std::string& path) {
    const bool link_or_device = entry.kind == io::EntryKind::other;
    if (!link_or_device && is_system_dropping(entry.name)) {
      diag::log("bundle", diag::LogLevel::info,
                fmt::format("ignoring {}, which an operating system left in the bundle", text::escape(path)));
      return;
    }
    std::string lower = entry.name;
    std::transform(lower.begin(), lower.end(), lower.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    const auto blob = digest_of_path(path.substr(0, path.size() - lower.size()) + lower);
    const bool ours =
        metadata_cap(lower) || lower == k_blobs_directory || lower == "sha256" || lower == "sha512" || blob;
    if (link_or_device || !ours || lower == entry.name) {
      return strange(path,
                     link_or_device ? "a link or device does not belong into a bundle"
                                    : "it does not belong into a bundle",
                     "take it out of the bundle");
    }
    m_result.findings.push_back(
        {.file = text::escape(path),
         .problem = fmt::format("its name changed on the way, from {}", lower),
         .images = {},
         .hint = "copy it again with a tool that keeps upper and lower case, or carry an archive"});
    if (blob) m_result.findings.back().blobs.push_back(*blob);
  }

  void list_blobs() {
    if (!m_has_blobs) return;
    for (const io::Entry& folder : m_root->list(k_blobs_directory)) {
      const std::string path = fmt::format("{}/{}", k_blobs_directory, folder.name);
      const bool known = folder.name == "sha256" || folder.name == "sha512";
      if (!known || folder.kind != io::EntryKind::directory) {
        check_stranger(folder, path);
        continue;
      }
      for (const io::Entry& entry : m_root->list(path)) list_blob(entry, path + "/" + entry.name);
    }
    append(std::exchange(m_strange, {}));
  }

  void list_blob(const io::Entry& entry, const std::string& path) {
    const auto digest = digest_of_path(path);
    if (digest && entry.kind == io::EntryKind::file)
      m_found.emplace(*digest, entry.size);
    else if (digest)
      strange(path, "it is not a regular file");
    else
      check_stranger(entry, path);
  }

  void compare_blobs() {
    for (const Blob& blob : m_result.info->blobs) {
      const auto found = m_found.find(blob.digest);
      if (found == m_found.end()) {
        add(blob, fmt::format("it is missing: a {} of {} bytes", name_of(blob.kind), blob.stored_size));
        continue;
      }
      if (found->second != blob.stored_size)
        add(blob, fmt::format("expected {} bytes, found {}", blob.stored_size, found->second));
      else
        m_result.readable.push_back(blob);
      ++m_result.files;
      m_found.erase(found);
    }
    // Of a changed bundle.json a file that it does not have says nothing.
    if (!m_trusted) return;
    for (const auto& [digest, size] : m_found) strange(blob_path(digest), "bundle.json does not have it");
    append(std::exchange(m_strange, {}));
  }

  // Without bundle.json a blob's name still says what its bytes must be.
  void take_what_is_there() {
    for (const auto& [digest, size] : m_found)
      m_result.readable.push_back({digest, size, BlobKind::layer, size});
    m_result.files += m_found.size();
  }

  void add(const Blob& blob, std::string problem) {
    m_result.findings.push_back({.file = blob_path(blob.digest), .problem = std::move(problem)});
  }

  std::shared_ptr<const io::Directory> m_root;
  Depth m_depth;
  bool m_has_blobs = false;
  bool m_trusted = false;  ///< bundle.json is what SHA256SUMS says
  FoundMetadata m_metadata;
  std::vector<Finding> m_strange;
  std::map<hash::Digest, std::uint64_t> m_found;  // sizes in bytes
  Inspection m_result;
};

}  // namespace

Inspection inspect_directory(const std::string& path, Depth depth) {
  return DirectoryInspection(path, depth).run();
}

}  // namespace airgap::bundle
