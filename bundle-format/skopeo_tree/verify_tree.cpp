#include "bundle-format/skopeo_tree/verify_tree.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "bundle-format/skopeo_tree/layout.hpp"
#include "common/hash/verifying_source.hpp"
#include "common/task/for_each.hpp"
#include "common/task/guarded.hpp"
#include "common/text/escape.hpp"

namespace airgap::skopeo_tree {
namespace {

constexpr std::size_t k_read = std::size_t{512} * 1024;  // bytes at once, for each thread

using Progress = std::function<void(std::uint64_t)>;

/// A file that is to have the digest of its name.
struct HashedFile {
  std::string path;
  hash::Digest digest;
  std::uint64_t size = 0;
  std::set<std::string> images{};  ///< that have it in their folders
};

std::vector<HashedFile> hashed_files(const TreeInspection& tree, bundle::VerifyReport& report) {
  // One file may have several names, that should all be the same.
  std::map<std::tuple<std::uint64_t, std::uint64_t, hash::Digest>, HashedFile> files;
  for (std::size_t i = 0; i < tree.survey.folders.size(); ++i) {
    const Folder& folder = tree.survey.folders[i];
    for (const io::Entry& entry : folder.files) {
      const FileName name = FileName::parse(entry.name);
      if (name.kind == FileKind::foreign || name.kind == FileKind::temporary) continue;
      ++report.files;
      if (name.kind != FileKind::blob) report.bytes += entry.size;
      if (name.kind != FileKind::blob) continue;  // the documents were read already
      const std::string path = folder.path.empty() ? entry.name : folder.path + "/" + entry.name;
      HashedFile& file = files
                             .try_emplace({entry.device, entry.inode, *name.digest},
                                          HashedFile{path, *name.digest, entry.size})
                             .first->second;
      file.images.insert(tree.names[i]);
    }
  }
  std::vector<HashedFile> list;
  for (auto& [key, file] : files) {
    report.bytes += file.size;
    list.push_back(std::move(file));
  }
  return list;
}

std::optional<bundle::Finding> read(const io::Directory& top, const HashedFile& file,
                                    const Progress& progress) {
  try {
    const auto opened = std::make_shared<const io::File>(top.open_file(file.path));
    io::FileRangeSource bytes(opened, 0, file.size + 1);
    hash::VerifyingSource verified(bytes, file.digest, file.size);
    std::vector<std::byte> buffer(std::clamp<std::uint64_t>(file.size + 1, io::k_min_read, k_read));
    while (const std::size_t count = verified.read(buffer)) progress(count);
    return std::nullopt;
  } catch (const diag::Interrupted&) {
    throw;
  } catch (const diag::Error& error) {
    bundle::Finding finding = bundle::finding_of(error, text::escape(file.path));
    finding.images.assign(file.images.begin(), file.images.end());
    return finding;
  }
}

}  // namespace

bundle::VerifyReport verify_tree(const TreeInspection& tree, std::size_t jobs, std::stop_token stop,
                                 const Progress& progress) {
  bundle::VerifyReport report;
  report.info = tree.info;
  report.findings = tree.findings;
  for (const BrokenImage& broken : tree.broken)
    report.findings.insert(report.findings.end(), broken.findings.begin(), broken.findings.end());
  const std::vector<HashedFile> files = hashed_files(tree, report);
  task::Guarded<std::vector<bundle::Finding>> unread;
  task::for_each_index(files.size(), jobs, stop, [&](std::size_t i) {
    const auto moved = [&](std::uint64_t count) {
      progress(count);
      if (stop.stop_requested()) throw diag::Interrupted();
    };
    if (auto finding = read(*tree.top, files[i], moved))
      unread.with([&](auto& list) { list.push_back(std::move(*finding)); });
  });
  unread.with([&](auto& list) { std::move(list.begin(), list.end(), std::back_inserter(report.findings)); });
  std::stable_sort(report.findings.begin(), report.findings.end(),
                   [](const bundle::Finding& a, const bundle::Finding& b) { return a.file < b.file; });
  std::set<std::string> damaged;
  for (const bundle::Finding& finding : report.findings)
    damaged.insert(finding.images.begin(), finding.images.end());
  report.damaged.assign(damaged.begin(), damaged.end());
  report.all_touched = !damaged.empty() && damaged == std::set(tree.names.begin(), tree.names.end());
  return report;
}

}  // namespace airgap::skopeo_tree
