#include "bundle-format/directory/directory_writer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <vector>

#include "bundle-format/arriving_blobs.hpp"
#include "bundle-format/directory/directory_survey.hpp"
#include "bundle-format/directory/new_directory.hpp"
#include "bundle-format/earlier_bundle.hpp"
#include "bundle-format/metadata/layout.hpp"
#include "bundle-format/partial_area.hpp"
#include "common/diag/error.hpp"
#include "common/hash/hasher.hpp"
#include "common/image/manifest.hpp"
#include "common/task/guarded.hpp"

namespace airgap::bundle {
namespace {

class DirectoryWriter final : public BundleWriter {
 public:
  explicit DirectoryWriter(const std::string& path);
  ~DirectoryWriter() override;

  const std::optional<BundleInfo>& existing() const override { return m_info; }
  bool finished() const override { return m_finished; }
  std::optional<std::string> existing_manifest(const hash::Digest& digest) const override;
  bool has_blob(const Blob& blob) const override;
  std::uint64_t partial_bytes(const Blob& blob) const override { return m_arriving.partial_bytes(blob); }

  void begin(Contents contents) override;
  void commit() override;
  std::vector<std::string> sealed_paths() const override { return {m_root.path()}; }
  std::optional<hash::Digest> sealed_sums() const override { return m_sums; }
  void retract(const std::vector<hash::Digest>& damaged) override;

 private:
  void store_blob(const Blob& blob, const transport::BlobOpener& open,
                  transport::Observer& observer) override;
  using Published = std::map<std::string, std::uint64_t>;  ///< blob path to size in bytes

  bool unchanged_by(const Contents& contents) const;
  void unseal();
  void number_above_replaced();
  void write_manifests();
  bool holds_bytes(const Blob& blob, const std::string& bytes) const;
  void publish(const std::vector<Blob>& batch);
  void refuse_unless_complete();
  void write_metadata();

  NewDirectory m_new;
  io::Directory m_root;
  std::optional<PartialArea> m_partial;
  std::optional<BundleInfo> m_info;
  bool m_finished = false;
  std::optional<Contents> m_contents;
  bool m_unchanged = false;
  std::optional<hash::Digest> m_sums;  ///< of SHA256SUMS
  mutable task::Guarded<Published> m_published;
  ArrivingBlobs m_arriving;
};

DirectoryWriter::DirectoryWriter(const std::string& path)
    : m_new(path),
      m_root(io::Directory::create_or_open(path)),
      m_arriving(m_root, [this](const std::vector<Blob>& batch) { publish(batch); }) {
  try {
    refuse_foreign_directory(m_root);
    m_partial.emplace(m_root);
    remove_temporary_files(m_root);
    DirectorySurvey survey = survey_directory(m_root);
    m_info = std::move(survey.info);
    m_finished = survey.finished;
    m_published.with([&](Published& published) { published = std::move(survey.blobs); });
  } catch (...) {
    m_partial.reset();
    m_new.remove();
    throw;
  }
}

DirectoryWriter::~DirectoryWriter() {
  m_partial.reset();
  if (!m_contents) m_new.remove();
}

std::optional<std::string> DirectoryWriter::existing_manifest(const hash::Digest& digest) const {
  return published_manifest(m_root, digest);
}

bool DirectoryWriter::has_blob(const Blob& blob) const {
  return m_arriving.waiting(blob.digest) || m_published.with([&](const Published& published) {
    const auto found = published.find(blob_path(blob.digest));
    return found != published.end() && found->second == blob.stored_size;
  });
}

bool DirectoryWriter::unchanged_by(const Contents& contents) const {
  if (!m_finished || !m_info) return false;
  return std::ranges::all_of(contents.info.blobs, [&](const Blob& blob) { return has_blob(blob); }) &&
         holds_already(contents, *m_info,
                       [&](const std::string& name) { return read_metadata(m_root, name); });
}

void DirectoryWriter::begin(Contents contents) {
  m_unchanged = unchanged_by(contents);
  m_contents = std::move(contents);
  if (m_unchanged) {
    if (const auto sums = read_metadata(m_root, k_sha256_file)) m_sums = hash::sha256_of(*sums);
    return;
  }
  m_partial->keep();
  unseal();
  number_above_replaced();
  std::set<std::string> directories;
  for (const Blob& blob : m_contents->info.blobs) {
    directories.insert(fmt::format("{}/{}", k_blobs_directory, hash::name(blob.digest.algorithm())));
  }
  for (const std::string& directory : directories) m_root.make_directories(directory);
  if (!directories.empty()) m_root.sync(k_blobs_directory);
  m_root.sync();
  write_manifests();
}

void DirectoryWriter::unseal() {
  m_root.remove_file(k_sha256_file);
  m_root.remove_file(k_signature_file);
  m_root.sync();
}

// Two finished bundles of one stream never share a number (R113).
void DirectoryWriter::number_above_replaced() {
  BundleInfo& info = m_contents->info;
  if (!m_info || m_info->stream != info.stream || info.sequence > m_info->sequence || info == *m_info) return;
  info.sequence = m_info->sequence + 1;
}

// Published at once: what an interrupted run leaves spares the next one the questions.
void DirectoryWriter::write_manifests() {
  for (const Blob& blob : m_contents->info.blobs) {
    if (blob.kind != BlobKind::manifest) continue;
    const std::string& bytes = *m_contents->manifests.at(blob.digest);
    if (!holds_bytes(blob, bytes)) m_arriving.store(blob, bytes);
  }
  m_arriving.publish_rest();
}

bool DirectoryWriter::holds_bytes(const Blob& blob, const std::string& bytes) const {
  return has_blob(blob) && m_root.read_file(blob_path(blob.digest), image::k_max_manifest) == bytes;
}

void DirectoryWriter::store_blob(const Blob& blob, const transport::BlobOpener& open,
                                 transport::Observer& observer) {
  m_arriving.receive(blob, open, observer);
}

void DirectoryWriter::publish(const std::vector<Blob>& batch) {
  std::set<std::string> directories;
  for (const Blob& blob : batch) {
    const std::string name = blob_path(blob.digest);
    m_root.rename(PartialArea::name_of(blob.digest), name);
    directories.insert(name.substr(0, name.rfind('/')));
  }
  for (const std::string& directory : directories) m_root.sync(directory);
  m_published.with([&](Published& published) {
    for (const Blob& blob : batch) published[blob_path(blob.digest)] = blob.stored_size;
  });
}

void DirectoryWriter::commit() {
  if (!m_contents) throw diag::InternalError("a bundle was sealed before it was begun");
  if (!m_unchanged) {
    m_arriving.publish_rest();
    refuse_unless_complete();
    write_metadata();
  } else {
    m_partial->remove();
  }
  m_new.sync_parents();
}

void DirectoryWriter::retract(const std::vector<hash::Digest>& damaged) {
  unseal();
  for (const hash::Digest& digest : damaged) m_root.remove_file(blob_path(digest));
  m_root.sync();
}

void DirectoryWriter::refuse_unless_complete() {
  for (const Blob& blob : m_contents->info.blobs) {
    const auto entry = m_root.stat(blob_path(blob.digest));
    if (!entry)
      throw diag::InternalError(fmt::format("{} is not in the bundle to be sealed", blob.digest.str()));
    if (entry->kind == io::EntryKind::file && entry->size == blob.stored_size) continue;
    throw diag::StorageError(
        fmt::format("{} changed while the bundle was written", m_root.path_of(entry->name)), "run again");
  }
}

// The seal comes last, when all it speaks of is in place and nothing else is.
void DirectoryWriter::write_metadata() {
  std::vector<MetadataFile> files = metadata_files(*m_contents);
  const MetadataFile seal = std::move(files.back());
  files.pop_back();
  std::set<std::string> names;
  for (const MetadataFile& file : files) {
    m_root.write_atomically(file.name, file.bytes);
    names.insert(file.name);
  }
  if (!names.contains(std::string(k_sha512_file))) m_root.remove_file(k_sha512_file);
  std::map<std::string, std::uint64_t> listed;
  for (const Blob& blob : m_contents->info.blobs) listed.emplace(blob_path(blob.digest), blob.stored_size);
  remove_blobs_except(m_root, listed);
  m_partial->remove();
  m_root.sync();
  m_root.write_atomically(seal.name, seal.bytes);
  m_sums = hash::sha256_of(seal.bytes);
}

}  // namespace

std::unique_ptr<BundleWriter> open_directory_writer(const std::string& path) {
  return std::make_unique<DirectoryWriter>(path);
}

}  // namespace airgap::bundle
