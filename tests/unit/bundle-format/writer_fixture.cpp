#include "tests/unit/bundle-format/writer_fixture.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>

#include "common/diag/error.hpp"
#include "common/hash/hasher.hpp"
#include "common/task/for_each.hpp"

namespace airgap::bundle::testing {

namespace fs = std::filesystem;

namespace {

constexpr const char* k_manifest_type = "application/vnd.oci.image.manifest.v1+json";

std::string descriptor(const char* type, const hash::Digest& digest, std::size_t size) {
  return fmt::format(R"({{"mediaType":"{}","digest":"{}","size":{}}})", type, digest.str(), size);
}

std::string manifest_of(const std::string& config, const ImageSpec& spec) {
  std::string list;
  for (const std::string& layer : spec.layers) {
    list += (list.empty() ? "" : ",") + descriptor("application/vnd.oci.image.layer.v1.tar+gzip",
                                                   hash::digest_of(spec.algorithm, layer), layer.size());
  }
  return fmt::format(
      R"({{"schemaVersion":2,"mediaType":"{}","config":{},"layers":[{}]}})", k_manifest_type,
      descriptor("application/vnd.oci.image.config.v1+json", hash::sha256_of(config), config.size()), list);
}

void add_image(Sample& sample, std::map<hash::Digest, Blob>& blobs, const ImageSpec& spec) {
  const auto add = [&](const std::string& bytes, BlobKind kind,
                       hash::Algorithm algorithm = hash::Algorithm::sha256) {
    const hash::Digest digest = hash::digest_of(algorithm, bytes);
    blobs.try_emplace(digest, Blob{digest, bytes.size(), kind, bytes.size()});
    if (kind == BlobKind::manifest) {
      sample.contents.manifests[digest] = std::make_shared<const std::string>(bytes);
    } else {
      sample.bytes[digest] = bytes;
    }
    return digest;
  };
  const image::Reference name = image::Reference::parse(spec.name);
  const std::string config =
      fmt::format(R"({{"architecture":"amd64","os":"linux","author":"{}"}})", spec.name);
  const std::string manifest = manifest_of(config, spec);
  DockerImage docker{name.str(), add(config, BlobKind::config), {}};
  std::uint64_t bytes = manifest.size() + config.size();
  for (const std::string& layer : spec.layers) {
    docker.layers.push_back(add(layer, BlobKind::layer, spec.algorithm));
    bytes += layer.size();
  }
  const hash::Digest digest = add(manifest, BlobKind::manifest);
  sample.contents.docker_images.push_back(docker);
  sample.contents.info.images.push_back(
      Image{.name = name,
            .digest = digest,
            .media_type = k_manifest_type,
            .size = manifest.size(),
            .source_digest = digest,
            .platforms = {image::Platform{.os = "linux", .architecture = "amd64"}},
            .bytes = bytes,
            .target = image::Mapping{}.inside(name),
            .subject = {},
            .platform_choice = "linux/amd64"});
}

/// A source that fails instead of giving more than `limit` bytes.
class FailingSource : public io::Source {
 public:
  FailingSource(std::string bytes, std::size_t limit) : m_bytes(std::move(bytes)), m_limit(limit) {}
  std::size_t read(std::span<std::byte> out) override {
    if (m_position >= m_limit) throw diag::NetworkError("the line dropped");
    const std::size_t count = std::min({out.size(), m_bytes.size() - m_position, m_limit - m_position});
    std::copy_n(io::bytes_of(m_bytes).begin() + static_cast<std::ptrdiff_t>(m_position), count, out.begin());
    m_position += count;
    return count;
  }

 private:
  std::string m_bytes;
  std::size_t m_limit;
  std::size_t m_position = 0;
};

}  // namespace

std::string file_text(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw std::runtime_error("cannot read " + path);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

void write_file(const std::string& path, std::string_view text) {
  std::ofstream out(path, std::ios::binary);
  out << text;
  if (!out.flush()) throw std::runtime_error("cannot write " + path);
}

std::map<std::string, std::string> tree_of(const std::string& path) {
  std::map<std::string, std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(path)) {
    if (entry.is_regular_file())
      files[fs::relative(entry.path(), path).string()] = file_text(entry.path().string());
  }
  return files;
}

std::string noise(std::size_t size, unsigned seed) {
  std::mt19937_64 random(seed);
  std::string text(size + 8, '\0');
  for (std::size_t i = 0; i < size; i += 8) {
    const std::uint64_t word = random();
    std::copy_n(io::text_of(std::as_bytes(std::span(&word, 1))).begin(), 8,
                text.begin() + static_cast<std::ptrdiff_t>(i));
  }
  text.resize(size);
  return text;
}

std::vector<Blob> Sample::fetched() const {
  std::vector<Blob> blobs = contents.info.blobs;
  std::erase_if(blobs, [](const Blob& blob) { return blob.kind == BlobKind::manifest; });
  return blobs;
}

const Blob& Sample::blob_of(const std::string& text) const {
  return *std::ranges::find(contents.info.blobs, hash::sha256_of(text), &Blob::digest);
}

transport::BlobOpener Sample::opener(const Blob& blob) const {
  return [text = std::string_view(bytes.at(blob.digest))](std::uint64_t offset) {
    return std::make_unique<io::MemorySource>(text.substr(offset));
  };
}

Sample sample(const std::vector<ImageSpec>& images, std::uint64_t sequence) {
  Sample sample;
  BundleInfo& info = sample.contents.info;
  info.stream = "0123456789abcdef0123456789abcdef";
  info.sequence = sequence;
  info.creator = "airgap-export test";
  info.created = "2026-01-31T12:00:00Z";
  std::map<hash::Digest, Blob> blobs;
  for (const ImageSpec& image : images) add_image(sample, blobs, image);
  std::ranges::sort(info.images, {}, &Image::name);
  std::ranges::sort(sample.contents.docker_images, {}, &DockerImage::name);
  for (const auto& [digest, blob] : blobs) info.blobs.push_back(blob);
  std::ranges::stable_sort(info.blobs, {}, &Blob::kind);
  return sample;
}

Sample two_images(std::uint64_t sequence) {
  return sample(
      {{"example.com/app:1", {"base", noise(700'000, 1)}}, {"example.com/web:2", {"base", noise(90'000, 2)}}},
      sequence);
}

transport::BlobOpener FaultyBlob::opener() {
  return [this](std::uint64_t offset) {
    m_offsets.push_back(offset);
    return std::make_unique<FailingSource>(m_bytes.substr(offset), m_limit);
  };
}

void Tally::blob_started(const hash::Digest&, std::uint64_t, std::uint64_t bytes) {
  const std::scoped_lock lock(m_mutex);
  already += bytes;
}
void Tally::blob_progress(const hash::Digest&, std::uint64_t bytes) {
  const std::scoped_lock lock(m_mutex);
  moved += bytes;
}
void Tally::blob_restarted(const hash::Digest&, std::uint64_t bytes) {
  const std::scoped_lock lock(m_mutex);
  lost += bytes;
}
void Tally::blob_finished(const hash::Digest&, std::uint64_t, std::string_view outcome) {
  const std::scoped_lock lock(m_mutex);
  ++outcomes[std::string(outcome)];
}

std::size_t write_all(BundleWriter& writer, const Sample& sample, std::size_t jobs) {
  std::vector<Blob> missing = sample.fetched();
  std::erase_if(missing, [&](const Blob& blob) { return writer.has_blob(blob); });
  writer.begin(sample.contents);
  task::for_each_bounded(std::span(missing), jobs, {}, [&](const Blob& blob) {
    writer.put_blob(blob, sample.opener(blob), transport::no_observer());
  });
  writer.commit();
  return missing.size();
}

std::size_t write_bundle(const std::string& path, const Sample& sample, std::size_t jobs) {
  return write_all(*open_writer({path}), sample, jobs);
}

std::string fault_of(const std::string& path) {
  const VerifyReport report = verify_bundle(path, 2, {}, [](std::uint64_t) {});
  if (report.findings.empty()) return {};
  return report.findings.front().file + ": " + report.findings.front().problem;
}

}  // namespace airgap::bundle::testing
