#include "bundle-format/skopeo_tree/earlier_tree.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "bundle-format/earlier_bundle.hpp"
#include "bundle-format/skopeo_tree/folder_image.hpp"
#include "bundle-format/skopeo_tree/layout.hpp"
#include "bundle-format/skopeo_tree/survey.hpp"
#include "common/diag/error.hpp"
#include "common/image/manifest.hpp"
#include "common/text/escape.hpp"

namespace airgap::skopeo_tree {
namespace {

[[noreturn]] void refuse(const io::Directory& top, const std::string& entry, const std::string& hint) {
  throw diag::UsageError(fmt::format("{} is not empty and is no tree of image folders: it holds '{}'",
                                     top.path(), text::escape(entry)),
                         hint);
}

void refuse_foreign(const io::Directory& top, const Survey& survey) {
  constexpr auto k_hint = "name an empty or new directory";
  for (const auto* entries : {&survey.odd, &survey.strangers}) {
    if (!entries->empty()) refuse(top, entries->front(), k_hint);
  }
  for (const Folder& folder : survey.folders) {
    if (folder.path.empty())
      refuse(top, folder.files.front().name, "name the directory that holds the images' folders");
    if (!folder.deep.empty()) refuse(top, folder.path + "/" + folder.deep.front(), k_hint);
    for (const io::Entry& file : folder.files) {
      if (FileName::parse(file.name).kind == FileKind::foreign)
        refuse(top, folder.path + "/" + file.name, k_hint);
    }
    try {
      name_of_folder(folder.path);
    } catch (const diag::FormatError&) {
      refuse(top, folder.path, k_hint);
    }
  }
}

EarlierFolder known(const io::Directory& top, const Folder& folder, EarlierTree& tree) {
  EarlierFolder known{.image = {}, .problem = {}, .has_manifest = folder.has_manifest, .files = {}};
  FolderImage read = read_folder(top, folder, folder.path);
  if (read.whole())
    known.image = std::move(read.image);
  else
    known.problem = read.findings.front().file + ": " + read.findings.front().problem;
  for (const io::Entry& file : folder.files) {
    known.files.emplace(file.name, file.size);
    const FileName name = FileName::parse(file.name);
    const std::string path = folder.path + "/" + file.name;
    if (name.kind == FileKind::blob)
      tree.blobs.try_emplace(*name.digest, EarlierTree::Place{path, file.size});
    if (name.kind == FileKind::instance) tree.manifests.try_emplace(*name.digest, path);
  }
  if (known.image)
    tree.manifests.try_emplace(known.image->digest, folder.path + "/" + std::string(k_manifest_file));
  return known;
}

}  // namespace

const bundle::Image* EarlierTree::image_in(const std::string& folder) const {
  const auto found = folders.find(folder);
  return found != folders.end() && found->second.image ? &*found->second.image : nullptr;
}

std::optional<std::string> EarlierTree::manifest(const io::Directory& top, const hash::Digest& digest) const {
  const auto found = manifests.find(digest);
  if (found == manifests.end()) return std::nullopt;
  const auto entry = top.stat(found->second);
  if (!entry || entry->size > image::k_max_manifest) return std::nullopt;
  return bundle::verified_manifest(top.read_file(found->second, image::k_max_manifest), digest);
}

EarlierTree earlier_tree(const io::Directory& top) {
  const Survey survey = look_around(top);
  refuse_foreign(top, survey);
  EarlierTree tree;
  for (const Folder& folder : survey.folders) tree.folders.emplace(folder.path, known(top, folder, tree));
  tree.finished = !survey.unfinished && !tree.folders.empty();
  return tree;
}

}  // namespace airgap::skopeo_tree
