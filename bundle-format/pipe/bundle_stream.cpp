#include <fmt/format.h>

#include <filesystem>
#include <map>

#include "bundle-format/archive/archive_head.hpp"
#include "bundle-format/archive/archive_plan.hpp"
#include "bundle-format/archive/exact_reader.hpp"
#include "bundle-format/archive/packed_file.hpp"
#include "bundle-format/blob_lookup.hpp"
#include "bundle-format/bundle_reader.hpp"
#include "bundle-format/metadata/layout.hpp"
#include "bundle-format/open_following.hpp"
#include "bundle-format/unpacked_source.hpp"
#include "common/diag/error.hpp"
#include "common/hash/verifying_source.hpp"

namespace airgap::bundle {
namespace {

/// The next `size` bytes of an archive.
class MemberSource : public io::Source {
 public:
  MemberSource(ExactReader& archive, std::uint64_t size, std::string name)
      : m_archive(archive), m_left(size), m_name(std::move(name)) {}
  std::size_t read(std::span<std::byte> out) override {
    if (m_left == 0) return 0;
    const std::size_t count = m_archive.read_some(out, m_left, m_name);
    m_left -= count;
    return count;
  }

 private:
  ExactReader& m_archive;
  std::uint64_t m_left;
  std::string m_name;
};

/// Every byte that is no blob's is known once the head is read, and is compared as it comes.
class PipeStream : public BundleStream {
 public:
  /// `from` is what messages call the input.
  PipeStream(io::Source& input, std::string from)
      : m_from(std::move(from)),
        m_input(input),
        m_archive(m_input),
        m_plan(read_head()),
        m_blobs(m_info),
        m_name(m_plan.metadata.back().name) {
    while (m_next < m_plan.blobs.size() && m_plan.blobs[m_next].kind == BlobKind::manifest) {
      const Blob& blob = m_plan.blobs[m_next];
      read_next([&](io::Source& bytes) { m_manifests.emplace(blob.digest, read_verified(bytes, blob)); });
    }
  }

  const BundleInfo& info() const override { return m_info; }

  std::string read_manifest(const image::Descriptor& wanted) override {
    const auto found = m_manifests.find(m_blobs.find(wanted).digest);
    if (found == m_manifests.end())
      throw diag::UnsafeError(wanted.digest.str() +
                              " is used as a manifest, and bundle.json does not call it one");
    return found->second;
  }

  std::unique_ptr<io::Source> open_blob(const image::Descriptor& blob, std::uint64_t) override {
    throw diag::InternalError(blob.digest.str() + " was asked for out of order: a pipe cannot go back");
  }

  void for_each_blob(const std::function<void(const Blob&, io::Source&)>& take) override {
    while (m_next < m_plan.blobs.size()) {
      const Blob& blob = m_plan.blobs[m_next];
      read_next([&](io::Source& bytes) {
        hash::VerifyingSource verified(bytes, blob.digest, blob.size);
        take(blob, verified);
        diag::with_context([&] { return "reading " + m_name + " from " + m_from; }, [&] { drain(verified); });
      });
    }
    expect_padding();
    m_archive.expect_zeros(tar::k_end_size, "the end of the archive");
    if (!m_archive.at_end())
      throw diag::IntegrityError(fmt::format("bytes follow the end of the archive at {}", m_plan.layout.end));
  }

 private:
  ArchivePlan read_head() {
    ArchiveHead head = read_archive_head(m_archive);
    if (head.volume)
      throw diag::UsageError("this is one of several volumes, which do not come through a pipe",
                             "name the files of all of them, or the folders that they are in");
    MetadataCheck check = check_metadata(head.by_name());
    if (!check.findings.empty()) throw_first(check.findings, "the bundle from " + m_from);
    m_info = std::move(*check.info);
    ArchivePlan plan(std::move(head.files), m_info);
    for (MetadataFile& file : plan.metadata) std::string().swap(file.bytes);  // read; the stream lives long
    if (head.mtime != plan.mtime)
      throw diag::IntegrityError("the time in the headers is not the time in bundle.json");
    return plan;
  }

  template <class Take>
  void read_next(Take&& take) {
    const Blob& blob = m_plan.blobs[m_next];
    expect_padding();
    m_name = blob_path(blob.digest);
    m_archive.expect(m_plan.header_of(m_next), "the header of " + m_name);
    MemberSource bytes(m_archive, blob.stored_size, m_name);
    take(bytes);
    ++m_next;
  }

  /// Zeros up to the next block; nothing after the head, whose reader took them.
  void expect_padding() {
    m_archive.expect_zeros(tar::padded(m_archive.position()) - m_archive.position(),
                           "the padding after " + m_name);
  }

  void drain(io::Source& rest) {
    m_drain.resize(io::k_pump_buffer);
    while (rest.read(m_drain) != 0) {
    }
  }

  std::string m_from;
  UnpackedSource m_input;
  ExactReader m_archive;
  BundleInfo m_info;
  ArchivePlan m_plan;
  BlobLookup m_blobs;
  std::map<hash::Digest, std::string> m_manifests;
  std::size_t m_next = 0;  // in m_plan.blobs
  std::string m_name;      // of the member before
  std::vector<std::byte> m_drain;
};

/// What PipeStream reads, with the file that it reads from.
struct PackedBytes {
  explicit PackedBytes(const std::shared_ptr<const io::File>& file) : bytes(file, 0, file->size()) {}
  io::FileRangeSource bytes;
};

class PackedStream final : private PackedBytes, public PipeStream {
 public:
  PackedStream(const std::shared_ptr<const io::File>& file, const std::string& path)
      : PackedBytes(file), PipeStream(bytes, path) {}
};

}  // namespace

std::unique_ptr<BundleStream> open_stream(io::Source& input) {
  return diag::with_context([] { return std::string("reading a bundle from a pipe"); },
                            [&] { return std::make_unique<PipeStream>(input, "the pipe"); });
}

std::unique_ptr<BundleStream> open_packed(const std::string& path) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) return nullptr;
  const auto file = open_following(path);
  if (!is_packed(*file)) return nullptr;
  return diag::with_context([&] { return "reading " + path + " from its front to its end"; },
                            [&] { return std::make_unique<PackedStream>(file, path); });
}

}  // namespace airgap::bundle
