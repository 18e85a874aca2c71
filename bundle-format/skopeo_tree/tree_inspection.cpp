#include "bundle-format/skopeo_tree/tree_inspection.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <tuple>

#include "bundle-format/metadata/layout.hpp"
#include "bundle-format/metadata/limits.hpp"
#include "bundle-format/partial_area.hpp"
#include "bundle-format/skopeo_tree/folder_image.hpp"
#include "bundle-format/skopeo_tree/layout.hpp"
#include "bundle-format/unfinished.hpp"
#include "common/diag/error.hpp"
#include "common/diag/log.hpp"
#include "common/text/escape.hpp"

namespace airgap::skopeo_tree {
namespace {

namespace fs = std::filesystem;

// Both forms have files of one name; what only a bundle has decides.
bool is_bundle(const io::Directory& top) {
  bool partial = false;
  bool anything_else = false;
  for (const io::Entry& entry : top.list()) {
    if (entry.name == bundle::k_partial_directory) {
      partial = true;
    } else if (entry.kind == io::EntryKind::file && bundle::metadata_cap(entry.name) &&
               entry.name != bundle::k_docker_file) {
      return true;
    } else if (!bundle::is_system_dropping(entry.name)) {
      anything_else = true;
    }
  }
  return (partial && !anything_else) || top.stat("blobs/sha256") || top.stat("blobs/sha512");
}

// A folder that is named itself still has its name: "." and links are followed for it.
std::string own_name(const std::string& path) {
  std::error_code error;
  const fs::path real = fs::canonical(path, error);
  return error ? path : real.filename().string();
}

class Inspector {
 public:
  Inspector(const std::string& path, io::Directory top, Survey survey) {
    m_result.path = path;
    m_result.top = std::make_shared<const io::Directory>(std::move(top));
    m_result.survey = std::move(survey);
  }

  TreeInspection run() && {
    look_at_the_whole();
    for (const Folder& folder : m_result.survey.folders) add(folder);
    bundle::BundleInfo& info = m_result.info;
    std::sort(info.images.begin(), info.images.end(),
              [](const bundle::Image& a, const bundle::Image& b) { return a.name < b.name; });
    for (bundle::Image& image : info.images) count_unique(image);
    for (const auto& [digest, used] : m_used) info.blobs.push_back(used.blob);
    std::sort(info.blobs.begin(), info.blobs.end(), [](const bundle::Blob& a, const bundle::Blob& b) {
      return std::tie(a.kind, a.digest) < std::tie(b.kind, b.digest);
    });
    return std::move(m_result);
  }

 private:
  struct Used {
    bundle::Blob blob;
    std::size_t images = 0;
  };

  void look_at_the_whole() {
    const auto add = [&](diag::ErrorKind kind, const std::string& file, std::string problem,
                         std::string hint) {
      m_result.findings.push_back({.kind = kind,
                                   .file = text::escape(file),
                                   .problem = std::move(problem),
                                   .images = {},
                                   .hint = std::move(hint)});
    };
    const Survey& survey = m_result.survey;
    if (survey.unfinished)
      add(diag::ErrorKind::integrity, std::string(bundle::k_partial_directory), "the tree is unfinished",
          bundle::hint_for_unfinished(bundle::PartialArea::lock_in(m_result.path)));
    for (const std::string& odd : survey.odd)
      add(diag::ErrorKind::unsafe, odd, "a link or device does not belong into a tree",
          "take it out of the tree");
    for (const std::string& stranger : survey.strangers)
      diag::log("bundle", diag::LogLevel::info,
                fmt::format("ignoring {}, which is in no image's folder", text::escape(stranger)));
    if (survey.folders.size() > bundle::k_max_images)
      throw diag::UnsafeError(fmt::format("{} holds {} images, and {} are the limit",
                                          text::escape(m_result.path), survey.folders.size(),
                                          bundle::k_max_images));
  }

  void add(const Folder& folder) {
    FolderImage read =
        read_folder(*m_result.top, folder, folder.path.empty() ? own_name(m_result.path) : folder.path);
    if (read.image) refuse_second(folder, read);
    m_result.names.push_back(read.name);
    if (!read.whole()) {
      m_result.broken.push_back({std::move(read.name), std::move(read.findings)});
      return;
    }
    const auto path_of = [&](const std::string& file) {
      return folder.path.empty() ? file : folder.path + "/" + file;
    };
    std::vector<hash::Digest>& named = m_named[read.image->name];
    for (const auto& manifest : read.graph.manifests) {
      const hash::Digest& digest = manifest.descriptor.digest;
      const bool root = digest == read.image->digest;
      m_result.manifests.try_emplace(digest,
                                     path_of(root ? std::string(k_manifest_file) : instance_file(digest)));
      use(manifest.descriptor, bundle::BlobKind::manifest, named);
    }
    for (const image::Descriptor& config : read.graph.configs) {
      m_result.blobs.try_emplace(config.digest, path_of(blob_file(config.digest)));
      use(config, bundle::BlobKind::config, named);
    }
    for (const image::Descriptor& layer : read.graph.layers) {
      m_result.blobs.try_emplace(layer.digest, path_of(blob_file(layer.digest)));
      use(layer, bundle::BlobKind::layer, named);
    }
    for (const io::Entry& file : folder.files) {
      if (FileName::parse(file.name).kind == FileKind::signature)
        m_result.signatures[read.image->name].push_back(path_of(file.name));
    }
    m_result.info.images.push_back(std::move(*read.image));
  }

  // app and app:latest, say.
  void refuse_second(const Folder& folder, FolderImage& read) {
    const auto [first, is_new] = m_folders.try_emplace(read.image->name, folder.path);
    if (is_new) return;
    read.findings.push_back(
        {.kind = diag::ErrorKind::unsafe,
         .file = text::escape(folder.path),
         .problem = fmt::format("{} lies in {} too", read.name, text::escape(first->second)),
         .images = {read.name},
         .hint = "remove one of them"});
  }

  void use(const image::Descriptor& descriptor, bundle::BlobKind kind, std::vector<hash::Digest>& named) {
    Used& used = m_used
                     .try_emplace(descriptor.digest,
                                  Used{{descriptor.digest, descriptor.size, kind, descriptor.size}, 0})
                     .first->second;
    used.blob.kind = std::min(used.blob.kind, kind);
    ++used.images;
    named.push_back(descriptor.digest);
  }

  void count_unique(bundle::Image& image) const {
    for (const hash::Digest& digest : m_named.at(image.name)) {
      const Used& used = m_used.at(digest);
      if (used.images == 1) image.unique_bytes += used.blob.size;
    }
  }

  TreeInspection m_result;
  std::map<image::Reference, std::string> m_folders;
  std::map<image::Reference, std::vector<hash::Digest>> m_named;
  std::unordered_map<hash::Digest, Used> m_used;
};

}  // namespace

std::optional<TreeInspection> inspect_tree(const std::string& path) {
  std::error_code error;
  if (!fs::is_directory(path, error)) return std::nullopt;
  io::Directory top = io::Directory::open(path);
  if (is_bundle(top)) return std::nullopt;
  Survey survey = look_around(top);
  if (!survey.is_tree()) return std::nullopt;
  return Inspector(path, std::move(top), std::move(survey)).run();
}

}  // namespace airgap::skopeo_tree
