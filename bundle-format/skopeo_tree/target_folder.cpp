#include "bundle-format/skopeo_tree/target_folder.hpp"

#include <algorithm>

#include "bundle-format/skopeo_tree/layout.hpp"
#include "common/diag/error.hpp"
#include "common/image/manifest.hpp"
#include "common/transport/image_graph.hpp"

namespace airgap::skopeo_tree {
namespace {

constexpr std::string_view k_temporary_ending = ".tmp";
constexpr std::string_view k_next_manifest = "manifest.json.tmp";

/// The manifests of the contents, as a source.
class Documents : public transport::ImageSource {
 public:
  explicit Documents(const bundle::Contents& contents) : m_contents(contents) {}
  std::string read_manifest(const image::Descriptor& wanted) override {
    return *m_contents.manifests.at(wanted.digest);
  }
  std::unique_ptr<io::Source> open_blob(const image::Descriptor& blob, std::uint64_t) override {
    throw diag::InternalError("blob " + blob.digest.str() + " is not to be read here");
  }

 private:
  const bundle::Contents& m_contents;
};

// Not synced: who calls syncs all of them together. What is right already is not touched: the manifest.json
// that the folder still has may name it.
void write(const io::Directory& top, const std::string& path, std::string_view bytes) {
  const auto there = top.stat(path);
  if (there && there->size == bytes.size() && top.read_file(path, bytes.size()) == bytes) return;
  const std::string temporary = path + std::string(k_temporary_ending);
  top.remove_file(temporary);
  io::File file = top.create_file(temporary);
  file.write_all(io::bytes_of(bytes));
  file.close();
  top.rename(temporary, path);
}

}  // namespace

TargetFolder::TargetFolder(const bundle::Image& image, std::string path, const bundle::Contents& contents)
    : m_digest(image.digest), m_path(std::move(path)) {
  Documents documents(contents);
  const transport::ImageGraph graph =
      transport::load_graph(documents, {image.media_type, image.digest, image.size});
  const auto note = [&](const hash::Digest& digest, std::string file) {
    m_other_algorithm = m_other_algorithm || digest.algorithm() != hash::Algorithm::sha256;
    m_files.push_back(std::move(file));
  };
  for (const auto& manifest : graph.manifests) {
    const hash::Digest& digest = manifest.descriptor.digest;
    if (digest == m_digest) continue;
    m_instances.push_back(digest);
    note(digest, instance_file(digest));
  }
  for (const auto* descriptors : {&graph.configs, &graph.layers}) {
    for (const image::Descriptor& blob : *descriptors) {
      m_blobs.push_back({blob.digest, blob.size, bundle::BlobKind::layer, blob.size});
      note(blob.digest, blob_file(blob.digest));
    }
  }
  note(m_digest, std::string(k_manifest_file));
  if (const auto signed_ones = contents.signatures.find(image.name);
      signed_ones != contents.signatures.end()) {
    for (const auto& [manifest, signatures] : signed_ones->second) {
      for (std::size_t i = 0; i < signatures.size(); ++i) {
        const auto instance = manifest == m_digest ? std::nullopt : std::optional(manifest);
        m_files.push_back(signature_file(instance, i + 1));
        m_signatures.emplace(m_files.back(), signatures[i]);
      }
    }
  }
  m_files.emplace_back(k_version_file);
  std::sort(m_files.begin(), m_files.end());
}

bool TargetFolder::holds(const std::string& file) const {
  return std::binary_search(m_files.begin(), m_files.end(), file);
}

bool TargetFolder::is_done(const io::Directory& top, const EarlierFolder& earlier) const {
  if (!earlier.image || earlier.image->digest != m_digest || earlier.files.size() != m_files.size())
    return false;
  return std::all_of(m_signatures.begin(), m_signatures.end(),
                     [&](const auto& signature) {
                       const auto there = earlier.files.find(signature.first);
                       return there != earlier.files.end() && there->second == signature.second.size() &&
                              top.read_file(m_path + "/" + signature.first, signature.second.size()) ==
                                  signature.second;
                     }) &&
         std::equal(m_files.begin(), m_files.end(), earlier.files.begin(),
                    [](const std::string& file, const auto& there) { return file == there.first; });
}

void TargetFolder::write_documents(const io::Directory& top, const bundle::Contents& contents) const {
  for (const hash::Digest& digest : m_instances)
    write(top, m_path + "/" + instance_file(digest), *contents.manifests.at(digest));
  for (const auto& [file, bytes] : m_signatures) write(top, m_path + "/" + file, bytes);
  write(top, m_path + "/" + std::string(k_version_file), version_text(m_other_algorithm));
  write(top, m_path + "/" + std::string(k_next_manifest), *contents.manifests.at(m_digest));
}

void TargetFolder::publish_manifest(const io::Directory& top) const {
  top.rename(m_path + "/" + std::string(k_next_manifest), m_path + "/" + std::string(k_manifest_file));
}

}  // namespace airgap::skopeo_tree
