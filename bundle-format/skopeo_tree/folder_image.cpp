#include "bundle-format/skopeo_tree/folder_image.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "bundle-format/skopeo_tree/layout.hpp"
#include "common/hash/hasher.hpp"
#include "common/hash/verifying_source.hpp"
#include "common/image/image_config.hpp"
#include "common/image/manifest.hpp"
#include "common/json/syntax_error.hpp"
#include "common/text/escape.hpp"

namespace airgap::skopeo_tree {
namespace {

constexpr auto k_again_hint = "the export was interrupted or damaged: export the image again";

/// Reads one folder, noting all that is wrong.
class FolderReader : public transport::ImageSource {
 public:
  FolderReader(const io::Directory& top, const Folder& folder, const std::string& called)
      : m_top(top), m_folder(folder), m_called(called) {}

  FolderImage run() && {
    m_result.name = text::escape(m_called);
    guard(k_manifest_file, [&] {
      m_name = name_of_folder(m_called);
      m_result.name = m_name->str();
    });
    guard(k_version_file, [&] {
      if (m_folder.find(k_version_file) != nullptr)
        check_version(m_top.read_file(path_of(k_version_file), k_max_version_file));
    });
    for (const std::string& directory : m_folder.deep)
      add(diag::ErrorKind::unsafe, directory, "a directory does not belong into an image's folder",
          "take it out, or export the image again");
    guard(k_manifest_file, [&] { read_root(); });
    check_signatures();
    for (bundle::Finding& finding : m_result.findings) finding.images = {m_result.name};
    return std::move(m_result);
  }

  std::string read_manifest(const image::Descriptor& wanted) override {
    if (wanted.digest == m_root->digest) return m_root_bytes;
    const std::string file = instance_file(wanted.digest);
    std::string bytes = m_top.read_file(path_of(file), image::k_max_manifest);
    io::MemorySource source(bytes);
    hash::VerifyingSource verified(source, wanted.digest, wanted.size != 0 ? wanted.size : bytes.size());
    static_cast<void>(io::read_all(verified, image::k_max_manifest, file));
    return bytes;
  }
  std::unique_ptr<io::Source> open_blob(const image::Descriptor& blob, std::uint64_t) override {
    throw diag::InternalError("blob " + blob.digest.str() + " is not to be read here");
  }

 private:
  std::string path_of(std::string_view file) const {
    return m_folder.path.empty() ? std::string(file) : fmt::format("{}/{}", m_folder.path, file);
  }

  void add(diag::ErrorKind kind, std::string_view file, std::string problem, std::string hint) {
    m_result.findings.push_back({.kind = kind,
                                 .file = text::escape(path_of(file)),
                                 .problem = std::move(problem),
                                 .images = {},
                                 .hint = std::move(hint)});
  }

  /// What goes wrong in `body` is a finding about `file`.
  template <class Body>
  void guard(std::string_view file, Body&& body) {
    try {
      body();
    } catch (const diag::StorageError&) {
      throw;
    } catch (const json::SyntaxError& error) {
      add(diag::ErrorKind::integrity, file, error.full_message(), k_again_hint);
    } catch (const diag::Error& error) {
      add(error.kind(), file, error.full_message(), error.hint());
    }
  }

  void read_root() {
    if (!m_folder.has_manifest) {
      add(diag::ErrorKind::integrity, k_manifest_file, "it is missing, so this is no whole image",
          k_again_hint);
      return;
    }
    m_root_bytes = m_top.read_file(path_of(k_manifest_file), image::k_max_manifest);
    const auto algorithm = m_name && m_name->digest ? m_name->digest->algorithm() : hash::Algorithm::sha256;
    const hash::Digest digest = hash::digest_of(algorithm, m_root_bytes);
    if (m_name && m_name->digest && *m_name->digest != digest) {
      add(diag::ErrorKind::integrity, k_manifest_file,
          fmt::format("expected {} as the folder is called, found {}", m_name->digest->str(), digest.str()),
          "an index that is named by its digest has to be exported with all platforms (skopeo sync --all)");
    }
    const auto parsed = image::parse_manifest(m_root_bytes, {}, {});
    m_root = image::Descriptor{parsed.media_type, digest, m_root_bytes.size()};
    if (const image::Index* index = parsed.index(); index != nullptr && !children_are_there(*index)) return;
    m_result.graph = transport::load_graph(*this, *m_root);
    check_blobs();
    if (m_name) describe();
  }

  // Each of them is told, not the first alone.
  bool children_are_there(const image::Index& index) {
    const std::size_t before = m_result.findings.size();
    for (const image::Descriptor& child : index.manifests) {
      const std::string file = instance_file(child.digest);
      if (m_folder.find(file) == nullptr) {
        add(diag::ErrorKind::integrity, file,
            fmt::format("it is missing: the index lists {}{}", child.digest.str(),
                        child.platform ? " for " + child.platform->str() : std::string{}),
            "a registry takes no index without them: export the image again with all platforms");
        continue;
      }
      guard(file, [&] { static_cast<void>(read_manifest(child)); });
    }
    return m_result.findings.size() == before;
  }

  void check_blobs() {
    for (const auto* blobs : {&m_result.graph.configs, &m_result.graph.layers}) {
      for (const image::Descriptor& blob : *blobs) {
        const std::string file = blob_file(blob.digest);
        const io::Entry* entry = m_folder.find(file);
        if (entry == nullptr)
          add(diag::ErrorKind::integrity, file, fmt::format("it is missing: a blob of {} bytes", blob.size),
              k_again_hint);
        else if (entry->size != blob.size)
          add(diag::ErrorKind::integrity, file,
              fmt::format("expected {} bytes, found {}", blob.size, entry->size), k_again_hint);
      }
    }
  }

  // Readers stop at the first number that is not there.
  void check_signatures() {
    std::uint64_t bytes = 0;
    for (const io::Entry& entry : m_folder.files) {
      const FileName name = FileName::parse(entry.name);
      if (name.kind != FileKind::signature) continue;
      bytes += entry.size;
      if (name.number > k_max_signatures || entry.size > k_max_signature || bytes > k_max_signature_bytes)
        return add(diag::ErrorKind::unsafe, entry.name,
                   fmt::format("a manifest has at most {} signatures of {} bytes, an image {} bytes of them",
                               k_max_signatures, k_max_signature, k_max_signature_bytes),
                   {});
      if (name.number > 1 && m_folder.find(signature_file(name.digest, name.number - 1)) == nullptr)
        add(diag::ErrorKind::integrity, signature_file(name.digest, name.number - 1),
            "it is missing, and a signature with a higher number is there", k_again_hint);
    }
  }

  void describe() {
    image::Reference inside = *m_name;
    inside.registry.clear();
    const image::Descriptor& root = m_result.graph.root().descriptor;
    m_result.image = bundle::Image{.name = *m_name,
                                   .digest = root.digest,
                                   .media_type = root.media_type,
                                   .size = root.size,
                                   .source_digest = root.digest,
                                   .platforms = platforms(),
                                   .bytes = m_result.graph.bytes(),
                                   .target = inside.str(),
                                   .subject = subject(),
                                   .platform_choice = {},
                                   .unique_bytes = 0};
  }

  // A referrer names what it is about; a tag that cosign made is a tag like others.
  std::optional<hash::Digest> subject() const {
    const auto parsed = image::parse_manifest(m_root_bytes, {}, m_root->media_type);
    const auto& named = std::visit(
        [](const auto& any) -> const auto& { return any.subject; }, parsed.body);
    return named ? std::optional(named->digest) : std::nullopt;
  }

  // Where no index says it, the config does.
  std::vector<image::Platform> platforms() {
    if (!m_result.graph.platforms.empty() || m_result.graph.manifests.size() != 1)
      return m_result.graph.platforms;
    const auto parsed = image::parse_manifest(m_root_bytes, {}, m_root->media_type);
    if (parsed.image() == nullptr || !parsed.image()->is_runnable()) return {};
    const image::Descriptor& config = *parsed.image()->config;
    const io::Entry* file = m_folder.find(blob_file(config.digest));
    if (file == nullptr || file->size != config.size || file->size > image::k_max_config) return {};
    try {
      const std::string bytes = m_top.read_file(path_of(file->name), image::k_max_config);
      if (hash::digest_of(config.digest.algorithm(), bytes) != config.digest) return {};
      return {image::parse_config_platform(bytes)};
    } catch (const diag::FormatError&) {
      return {};
    }
  }

  const io::Directory& m_top;
  const Folder& m_folder;
  const std::string& m_called;
  std::optional<image::Reference> m_name;
  std::optional<image::Descriptor> m_root;
  std::string m_root_bytes;
  FolderImage m_result;
};

}  // namespace

FolderImage read_folder(const io::Directory& top, const Folder& folder, const std::string& called) {
  return FolderReader(top, folder, called).run();
}

}  // namespace airgap::skopeo_tree
