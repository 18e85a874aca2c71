#include "bundle-format/metadata/metadata_check.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "bundle-format/metadata/docker_manifest.hpp"
#include "bundle-format/metadata/layout.hpp"
#include "bundle-format/metadata/oci_layout.hpp"
#include "bundle-format/metadata/sums.hpp"
#include "common/hash/hasher.hpp"

namespace airgap::bundle {
namespace {

constexpr std::array k_always{k_oci_layout_file, k_index_file, k_bundle_file, k_docker_file};

class Check {
 public:
  explicit Check(const FoundMetadata& files) : m_files(files) {}

  MetadataCheck run() {
    for (const std::string_view name : k_always) {
      if (!m_files.contains(name)) add(name, "it is missing");
    }
    read_sums();
    compare_with_sums();
    read_info();
    if (!m_check.info || !m_check.trusted) return std::move(m_check);
    compare_lists();
    check_sha512();
    examine(k_oci_layout_file, [&](const std::string& bytes) { check_oci_layout(bytes); });
    examine(k_index_file, [&](const std::string& bytes) { check_index_json(bytes, *m_check.info); });
    examine(k_docker_file, [&](const std::string& bytes) { parse_docker_manifest(bytes, *m_check.info); });
    return std::move(m_check);
  }

 private:
  void add(std::string_view file, std::string problem, diag::ErrorKind kind = diag::ErrorKind::integrity) {
    m_check.findings.push_back({.kind = kind, .file = std::string(file), .problem = std::move(problem)});
  }

  /// A file that is not as it was written. What a transfer as text does to all of them has one remedy.
  void add_changed(std::string_view name, const std::string& bytes, std::string problem) {
    const bool as_text = bytes.find("\r\n") != bytes.npos;
    add(name, as_text ? "its line ends were changed on the way; " + problem : std::move(problem));
    if (as_text) m_check.findings.back().hint = "copy it again, in binary mode";
  }

  /// Runs `read` on a file that SHA256SUMS vouches for. What it throws becomes a finding.
  template <class Read>
  void examine(std::string_view name, Read&& read) {
    const auto file = m_files.find(name);
    if (file == m_files.end() || m_changed.contains(name)) return;
    try {
      read(file->second);
    } catch (const diag::Error& error) {
      m_check.findings.push_back(finding_of(error, std::string(name)));
    }
  }

  void read_sums() {
    const auto file = m_files.find(k_sha256_file);
    if (file == m_files.end()) return;
    m_check.sums = hash::sha256_of(file->second);
    try {
      m_sums = parse_sums(file->second, hash::Algorithm::sha256);
    } catch (const diag::Error& error) {
      add_changed(k_sha256_file, file->second, "it is damaged: " + error.message());
    }
  }

  void compare_with_sums() {
    if (!m_sums) return;
    // It may end too early behind any of its lines.
    const bool cut = std::ranges::any_of(k_always, [&](std::string_view name) {
      return name != k_sha256_file && !m_sums->files.contains(std::string(name));
    });
    for (const auto& [name, bytes] : m_files) {
      if (name == k_sha256_file) continue;
      const auto listed = m_sums->files.find(name);
      if (listed == m_sums->files.end()) {
        add(name, "SHA256SUMS does not list it", cut ? diag::ErrorKind::integrity : diag::ErrorKind::unsafe);
        m_changed.insert(name);
      } else if (const auto found = hash::sha256_of(bytes); found != listed->second) {
        add_changed(name, bytes, fmt::format("expected {}, found {}", listed->second.str(), found.str()));
        m_changed.insert(name);
      }
    }
  }

  void read_info() {
    const auto file = m_files.find(k_bundle_file);
    if (file == m_files.end()) return;
    const bool changed = m_changed.contains(k_bundle_file);
    try {
      m_check.info = parse_bundle_json(file->second);
      m_check.trusted = m_sums && !changed;
    } catch (const diag::Error& error) {
      if (changed) return;
      m_check.findings.push_back(finding_of(error, file->first));
      // Nothing says that these are the bytes that were written.
      if (!m_sums) m_check.findings.back().kind = diag::ErrorKind::integrity;
    }
  }

  /// SHA256SUMS and bundle.json name the same bundle and the same files.
  void compare_lists() {
    const Sums expected = sha256_sums(*m_check.info, {});
    if (m_sums->comment != expected.comment)
      add(k_sha256_file, fmt::format("its first line is not '# {}'", expected.comment));
    for (const auto& [path, digest] : expected.files) {
      if (!m_sums->files.contains(path)) add(path, "bundle.json has it, and SHA256SUMS does not list it");
    }
    for (const auto& [path, digest] : m_sums->files) {
      const bool known = expected.files.contains(path) || m_files.contains(path);
      if (!known && !is_missing_metadata(path))
        add(path, "SHA256SUMS lists it, and bundle.json does not have it");
    }
  }

  // Those that must be there have their finding already.
  static bool is_missing_metadata(std::string_view path) {
    return std::find(k_always.begin(), k_always.end(), path) != k_always.end();
  }

  void check_sha512() {
    const Sums expected = sha512_sums(*m_check.info);
    const auto file = m_files.find(k_sha512_file);
    if (expected.files.empty() && file != m_files.end())
      return add(k_sha512_file, "the bundle has no sha512 blob", diag::ErrorKind::unsafe);
    if (expected.files.empty()) return;
    if (file == m_files.end()) return add(k_sha512_file, "it is missing");
    if (!m_changed.contains(k_sha512_file) && file->second != write_sums(expected))
      add(k_sha512_file, "it does not list the sha512 blobs of bundle.json", diag::ErrorKind::unsafe);
  }

  const FoundMetadata& m_files;
  std::optional<Sums> m_sums;
  std::set<std::string, std::less<>> m_changed;
  MetadataCheck m_check;
};

}  // namespace

MetadataCheck check_metadata(const FoundMetadata& files) {
  return Check(files).run();
}

}  // namespace airgap::bundle
