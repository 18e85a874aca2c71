#include "tests/unit/bundle-format/sample_bundle.hpp"

#include <algorithm>
#include <stdexcept>

#include "common/hash/hasher.hpp"
#include "common/image/media_type.hpp"
#include "common/json/writer.hpp"
#include "common/tar/tar_layout.hpp"
#include "tests/unit/bundle-format/whole_files.hpp"

namespace airgap::bundle {
namespace {

const image::Platform k_amd64{.os = "linux", .architecture = "amd64"};
const image::Platform k_arm64{.os = "linux", .architecture = "arm64", .variant = "v8"};
constexpr std::string_view k_layer_type = "application/vnd.oci.image.layer.v1.tar+gzip";

class SampleBuilder {
 public:
  explicit SampleBuilder(Sha512 with) : m_with(with) {}

  Sample build() {
    const auto shared = layer("shared", "bytes that two images share");
    const auto big = layer("big", std::string(1500, 'b'));
    const auto empty = layer("empty", "");
    auto amd64 = manifest("app-amd64", config("config-amd64", k_amd64), {shared, big});
    auto arm64 = manifest("app-arm64", config("config-arm64", k_arm64), {shared, empty});
    amd64.platform = k_amd64;
    arm64.platform = k_arm64;
    add_image("docker.io/library/app:1", "library/app:1", index("index", {amd64, arm64}), {k_amd64, k_arm64});

    std::vector<image::Descriptor> tool_layers{shared};
    if (m_with == Sha512::layer)
      tool_layers.push_back(layer("sha512", "bytes with a long digest", hash::Algorithm::sha512));
    const auto tool = manifest("tool", config("config-tool", k_amd64), tool_layers);
    add_image("quay.io/org/tool:2", "org/tool:2", tool, {k_amd64});

    const auto no_config = blob("config-signature", "{}", BlobKind::config, image::k_oci_empty);
    const auto signature = manifest("signature", no_config, {layer("signature-layer", "signed")}, tool);
    const std::string pinned = "org/tool@" + signature.digest.str();
    add_image("quay.io/" + pinned, pinned, signature, {}).subject = tool.digest;
    return finish();
  }

 private:
  image::Descriptor blob(const std::string& called, const std::string& bytes, BlobKind kind,
                         std::string_view type, hash::Algorithm algorithm = hash::Algorithm::sha256) {
    const auto digest = hash::digest_of(algorithm, bytes);
    m_sample.called.emplace(called, digest);
    if (m_sample.blobs.emplace(digest, bytes).second)
      info().blobs.push_back({digest, bytes.size(), kind, bytes.size()});
    if (kind == BlobKind::manifest)
      m_sample.contents.manifests.emplace(digest, std::make_shared<const std::string>(bytes));
    return {.media_type = std::string(type), .digest = digest, .size = bytes.size()};
  }
  image::Descriptor layer(const std::string& called, const std::string& bytes,
                          hash::Algorithm algorithm = hash::Algorithm::sha256) {
    return blob(called, bytes, BlobKind::layer, k_layer_type, algorithm);
  }
  image::Descriptor config(const std::string& called, const image::Platform& platform) {
    json::Writer writer(json::Writer::Style::compact);
    writer.begin_object().member("os", platform.os).member("architecture", platform.architecture);
    writer.member("comment", called).end_object();
    return blob(called, writer.str(), BlobKind::config, image::k_oci_config);
  }
  image::Descriptor manifest(const std::string& called, const image::Descriptor& config,
                             const std::vector<image::Descriptor>& layers,
                             const std::optional<image::Descriptor>& subject = {}) {
    json::Writer writer(json::Writer::Style::compact);
    writer.begin_object().member("schemaVersion", 2).member("mediaType", image::k_oci_manifest);
    config.write(writer.key("config"));
    writer.key("layers").begin_array();
    for (const auto& one : layers) one.write(writer);
    writer.end_array();
    if (subject) subject->write(writer.key("subject"));
    writer.end_object();
    return blob(called, writer.str(), BlobKind::manifest, image::k_oci_manifest);
  }
  image::Descriptor index(const std::string& called, const std::vector<image::Descriptor>& children) {
    json::Writer writer(json::Writer::Style::compact);
    writer.begin_object().member("schemaVersion", 2).member("mediaType", image::k_oci_index);
    writer.key("manifests").begin_array();
    for (const auto& child : children) child.write(writer);
    writer.end_array().end_object();
    return blob(called, writer.str(), BlobKind::manifest, image::k_oci_index);
  }

  Image& add_image(const std::string& name, const std::string& target, const image::Descriptor& root,
                   std::vector<image::Platform> platforms) {
    info().images.push_back({.name = image::Reference::parse(name),
                             .digest = root.digest,
                             .media_type = root.media_type,
                             .size = root.size,
                             .source_digest = root.digest,
                             .platforms = std::move(platforms),
                             .bytes = 4711,
                             .target = target,
                             .subject = std::nullopt,
                             .platform_choice = "all"});
    return info().images.back();
  }

  Sample finish() {
    info().stream = "0123456789abcdef0123456789abcdef";
    info().sequence = 7;
    info().creator = "airgap-export 0.1.0";
    info().created = "2026-01-31T12:00:00Z";
    std::sort(info().images.begin(), info().images.end(),
              [](const Image& a, const Image& b) { return a.name < b.name; });
    std::sort(info().blobs.begin(), info().blobs.end(), [](const Blob& a, const Blob& b) {
      return std::tie(a.kind, a.digest) < std::tie(b.kind, b.digest);
    });
    m_sample.contents.docker_images = {
        {"docker.io/library/app:1", m_sample["config-amd64"], {m_sample["shared"], m_sample["big"]}},
        {"quay.io/org/tool:2", m_sample["config-tool"], {m_sample["shared"]}}};
    return std::move(m_sample);
  }

  BundleInfo& info() { return m_sample.contents.info; }

  Sha512 m_with;
  Sample m_sample;
};

}  // namespace

const Image& Sample::image(const std::string& name) const {
  const auto wanted = image::Reference::parse(name);
  for (const Image& image : contents.info.images) {
    if (image.name == wanted) return image;
  }
  throw std::out_of_range(name);
}

Sample make_sample(Sha512 with) {
  return SampleBuilder(with).build();
}

std::vector<SampleFile> files_of(const Sample& sample) {
  std::vector<SampleFile> files;
  for (const MetadataFile& file : metadata_files(sample.contents)) files.push_back({file.name, file.bytes});
  for (const Blob& blob : sample.contents.info.blobs)
    files.push_back({blob_path(blob.digest), sample.blobs.at(blob.digest)});
  return files;
}

void seal(std::vector<SampleFile>& files, const BundleInfo& info) {
  std::map<std::string, std::string> lines;
  for (const SampleFile& file : files) {
    if (file.name != "SHA256SUMS" && !file.name.starts_with("blobs/sha512/"))
      lines[file.name] = hash::sha256_of(file.bytes).hex() + "  " + file.name + "\n";
  }
  std::string sums = "# airgap bundle format 1, stream " + info.stream + ", sequence " +
                     std::to_string(info.sequence) + "\n";
  for (const auto& [name, line] : lines) sums += line;
  for (SampleFile& file : files) {
    if (file.name == "SHA256SUMS") file.bytes = sums;
  }
}

std::string archive_of(const std::vector<SampleFile>& files, const BundleInfo& info) {
  const std::uint64_t mtime = created_seconds(info.created);
  std::string bytes;
  for (const SampleFile& file : files) {
    bytes += tar::header_bytes({file.name, file.bytes.size()}, mtime) + file.bytes;
    bytes.append((512 - bytes.size() % 512) % 512, '\0');
  }
  return bytes.append(1024, '\0');
}

void write_directory(const std::vector<SampleFile>& files, const std::string& path) {
  for (const SampleFile& file : files) write_file(path + "/" + file.name, file.bytes);
}

}  // namespace airgap::bundle
