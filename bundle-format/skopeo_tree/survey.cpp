#include "bundle-format/skopeo_tree/survey.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "bundle-format/metadata/layout.hpp"
#include "bundle-format/skopeo_tree/layout.hpp"
#include "common/diag/error.hpp"

namespace airgap::skopeo_tree {
namespace {

std::string below(const std::string& folder, const std::string& name) {
  return folder.empty() ? name : folder + "/" + name;
}

bool only_images_have(const std::vector<io::Entry>& files) {
  return std::any_of(files.begin(), files.end(), [](const io::Entry& file) {
    return FileName::parse(file.name).kind != FileKind::foreign;
  });
}

class Walk {
 public:
  explicit Walk(const io::Directory& top) : m_top(top) {}

  Survey run() && {
    visit({}, 0);
    std::sort(m_survey.folders.begin(), m_survey.folders.end(),
              [](const Folder& a, const Folder& b) { return a.path < b.path; });
    return std::move(m_survey);
  }

 private:
  void visit(const std::string& path, std::size_t depth) {
    if (depth > k_max_depth)
      throw diag::UnsafeError(fmt::format("{} has folders more than {} deep", m_top.path(), k_max_depth));
    Folder folder{.path = path, .has_manifest = false, .files = {}, .deep = {}};
    sort_entries(folder);
    if (folder.has_manifest || (folder.deep.empty() && !path.empty()) || only_images_have(folder.files)) {
      const bool image = folder.has_manifest;
      const std::vector<std::string> directories =
          image ? std::vector<std::string>{} : std::move(folder.deep);
      if (!image) folder.deep.clear();
      m_survey.folders.push_back(std::move(folder));
      for (const std::string& directory : directories) visit(below(path, directory), depth + 1);
      return;
    }
    for (const io::Entry& file : folder.files) m_survey.strangers.push_back(below(path, file.name));
    for (const std::string& directory : folder.deep) visit(below(path, directory), depth + 1);
  }

  void sort_entries(Folder& folder) {
    for (io::Entry& entry : m_top.list(folder.path)) {
      if (++m_entries > k_max_entries)
        throw diag::UnsafeError(fmt::format("{} holds more than {} files", m_top.path(), k_max_entries));
      const bool directory = entry.kind == io::EntryKind::directory;
      if (folder.path.empty() && directory && entry.name == bundle::k_partial_directory) {
        m_survey.unfinished = true;
      } else if (entry.kind == io::EntryKind::other) {
        m_survey.odd.push_back(below(folder.path, entry.name));
      } else if (bundle::is_system_dropping(entry.name)) {
        continue;
      } else if (directory) {
        folder.deep.push_back(entry.name);
      } else {
        folder.has_manifest = folder.has_manifest || entry.name == k_manifest_file;
        folder.files.push_back(std::move(entry));
      }
    }
  }

  const io::Directory& m_top;
  std::size_t m_entries = 0;
  Survey m_survey;
};

}  // namespace

const io::Entry* Folder::find(std::string_view name) const {
  const auto found =
      std::lower_bound(files.begin(), files.end(), name,
                       [](const io::Entry& entry, std::string_view wanted) { return entry.name < wanted; });
  return found != files.end() && found->name == name ? &*found : nullptr;
}

bool Survey::is_tree() const {
  return std::any_of(folders.begin(), folders.end(), [](const Folder& folder) {
    return folder.has_manifest || only_images_have(folder.files) ||
           folder.path.find_first_of(":@") != folder.path.npos;
  });
}

Survey look_around(const io::Directory& top) {
  return Walk(top).run();
}

}  // namespace airgap::skopeo_tree
