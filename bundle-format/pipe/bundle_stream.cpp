#include <fmt/format.h>

#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <type_traits>

#include "bundle-format/archive/archive_head.hpp"
#include "bundle-format/archive/archive_plan.hpp"
#include "bundle-format/archive/exact_reader.hpp"
#include "bundle-format/archive/packed_file.hpp"
#include "bundle-format/blob_lookup.hpp"
#include "bundle-format/bundle_reader.hpp"
#include "bundle-format/left_out.hpp"
#include "bundle-format/metadata/layout.hpp"
#include "bundle-format/metadata/reference_check.hpp"
#include "bundle-format/open_following.hpp"
#include "bundle-format/unpacked_source.hpp"
#include "common/diag/error.hpp"
#include "common/diag/touching.hpp"
#include "common/hash/verifying_source.hpp"
#include "common/io/ends_early.hpp"
#include "common/io/zero_padding.hpp"
#include "common/text/escape.hpp"

namespace airgap::bundle {
namespace {

/// The next `size` bytes of an archive.
class MemberSource : public io::Source {
 public:
  using Read = std::function<std::size_t(std::span<std::byte> out, std::uint64_t at_most)>;
  MemberSource(Read read, std::uint64_t size) : m_read(std::move(read)), m_left(size) {}
  std::size_t read(std::span<std::byte> out) override {
    if (m_left == 0) return 0;
    const std::size_t count = m_read(out, m_left);
    m_left -= count;
    return count;
  }

 private:
  Read m_read;
  std::uint64_t m_left;
};

/// Every byte that is no blob's is known once the head is read, and is compared as it comes.
class PipeStream : public BundleStream {
 public:
  /// `name` is what messages call the input.
  PipeStream(io::Source& input, From from, std::string name, Damaged damaged)
      : m_kind(from),
        m_from(std::move(name)),
        m_input(input),
        m_archive(m_input),
        m_plan(read_head()),
        m_blobs(m_info),
        m_name(m_plan.metadata.back().name) {
    read_manifests(damaged);
  }

  const BundleInfo& info() const override { return m_info; }
  const std::vector<BrokenImage>& broken() const override { return m_broken; }

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

  void for_each_blob(const std::function<void(const Blob&, io::Source&)>& take,
                     const TakeDamage& damaged) override {
    while (m_next < m_plan.blobs.size()) {
      read_next([&](const Blob& blob, io::Source& bytes) {
        hash::VerifyingSource verified(bytes, blob.digest, blob.size);
        take(blob, verified);
        diag::with_context([&] { return "reading " + m_name + " from " + m_from; },
                           [&] {
                             if (const auto damage = drain(verified, blob.digest)) damaged(blob, *damage);
                           });
      });
    }
    expect_padding();
    explaining([&] { m_archive.expect_zeros(tar::k_end_size, "the end of the archive"); });
    expect_no_more();
  }

 private:
  ArchivePlan read_head() {
    ArchiveHead head = explaining([&] { return read_archive_head(m_archive, m_kind); });
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

  /// Why a pipe ended early is for the program before it to say.
  template <class Body>
  std::invoke_result_t<Body> explaining(Body&& body) {
    try {
      return std::forward<Body>(body)();
    } catch (io::EndsEarly& error) {
      if (m_kind == From::pipe)
        error.set_hint("see what the program before the pipe said, and run all of the pipe again");
      throw;
    }
  }

  /// What is wrong with the blobs from `begin` to `end` is said with the images that it touches.
  template <class Body>
  auto naming(std::size_t begin, std::size_t end, Body&& body) {
    try {
      return explaining(std::forward<Body>(body));
    } catch (const diag::IntegrityError& error) {
      std::vector<hash::Digest> lost;
      for (std::size_t i = begin; i < end; ++i) lost.push_back(m_plan.blobs[i].digest);
      throw diag::touching(error, images_above(lost));
    }
  }

  /// Where the pipe breaks, all that was to come is lost.
  template <class Body>
  auto naming_rest(Body&& body) {
    return naming(m_next, m_plan.blobs.size(), std::forward<Body>(body));
  }

  // All of them, so that what a damaged one touches is known.
  void read_manifests(Damaged handling) {
    std::vector<Finding> findings;
    while (m_next < m_plan.blobs.size() && m_plan.blobs[m_next].kind == BlobKind::manifest) {
      read_next([&](const Blob& blob, io::Source& bytes) {
        try {
          m_manifests.emplace(blob.digest, read_verified(bytes, blob));
        } catch (const hash::DigestMismatch& error) {
          findings.push_back(finding_of(error, blob_path(blob.digest)));
        }
      });
    }
    if (!findings.empty()) judge(std::move(findings), handling);
  }

  /// Refuses damaged manifests, or leaves out what they touch.
  void judge(std::vector<Finding> findings, Damaged handling) {
    Inspection manifests;
    manifests.info = m_info;
    manifests.findings = std::move(findings);
    for (const auto& blob : m_info.blobs) {
      if (m_manifests.contains(blob.digest)) manifests.readable.push_back(blob);
    }
    manifests.blob_bytes = [this](const Blob& blob, std::uint64_t) {
      return std::make_unique<io::MemorySource>(m_manifests.at(blob.digest));
    };
    if (handling == Damaged::refused) refuse_damaged(manifests, m_from);
    m_broken = leave_out_damaged(manifests, m_from).images;
    m_info.images = std::move(manifests.info->images);
  }

  template <class Take>
  void read_next(Take&& take) {
    const Blob& blob = m_plan.blobs[m_next];
    expect_padding();
    m_name = blob_path(blob.digest);
    expect(m_plan.header_of(m_next), "the header of " + m_name, m_next);
    MemberSource bytes(
        [&](std::span<std::byte> out, std::uint64_t at_most) {
          return naming_rest([&] { return m_archive.read_some(out, at_most, m_name); });
        },
        blob.stored_size);
    take(blob, bytes);
    ++m_next;
  }

  /// Zeros up to the next block; nothing after the head, whose reader took them.
  void expect_padding() {
    const std::uint64_t count = tar::padded(m_archive.position()) - m_archive.position();
    if (count > 0)
      expect(std::string(static_cast<std::size_t>(count), '\0'), "the padding after " + m_name, m_next - 1);
  }

  /// But for the zeros that fill up a block (SPEC.md, "Archive").
  void expect_no_more() {
    io::ZeroPadding padding("the archive");
    m_drain.resize(io::k_pump_buffer);
    while (!m_archive.at_end())
      padding.take(std::span(m_drain).first(m_archive.read_some(m_drain, m_drain.size(), "the padding")));
  }

  /// Bytes that belong to the blob at `index`.
  void expect(std::string_view bytes, const std::string& what, std::size_t index) {
    naming_rest([&] { m_archive.peek(bytes.size(), what); });
    naming(index, index + 1, [&] { m_archive.expect(bytes, what); });
  }

  std::vector<std::string> images_above(const std::vector<hash::Digest>& lost) {
    if (!m_references)
      m_references.emplace(m_info, [&](const Blob& manifest) -> std::optional<std::string> {
        const auto found = m_manifests.find(manifest.digest);
        return found == m_manifests.end() ? std::nullopt : std::optional(found->second);
      });
    std::vector<std::string> names;
    for (const std::size_t image : m_references->images_above(lost))
      names.push_back(m_info.images[image].name.str());
    return names;
  }

  /// Reads to the end; what is wrong with the blob, if anything.
  std::optional<diag::IntegrityError> drain(io::Source& rest, const hash::Digest& blob) {
    m_drain.resize(io::k_pump_buffer);
    try {
      while (rest.read(m_drain) != 0) {
      }
      return std::nullopt;
    } catch (const hash::DigestMismatch& error) {
      return diag::touching(error, images_above({blob}));
    }
  }

  From m_kind;
  std::string m_from;
  UnpackedSource m_input;
  ExactReader m_archive;
  BundleInfo m_info;
  ArchivePlan m_plan;
  BlobLookup m_blobs;
  std::map<hash::Digest, std::string> m_manifests;
  std::vector<BrokenImage> m_broken;
  std::optional<References> m_references;  // once something is damaged; the images do not change any more
  std::size_t m_next = 0;                  // in m_plan.blobs
  std::string m_name;                      // of the member before
  std::vector<std::byte> m_drain;
};

/// What PipeStream reads, with the file that it reads from.
struct PackedBytes {
  explicit PackedBytes(const std::shared_ptr<const io::File>& file) : bytes(file, 0, file->size()) {}
  io::FileRangeSource bytes;
};

class PackedStream final : private PackedBytes, public PipeStream {
 public:
  PackedStream(const std::shared_ptr<const io::File>& file, const std::string& path, Damaged damaged)
      : PackedBytes(file), PipeStream(bytes, From::file, text::escape(path), damaged) {}
};

}  // namespace

std::unique_ptr<BundleStream> open_stream(io::Source& input, Damaged damaged) {
  return diag::with_context(
      [] { return std::string("reading a bundle from a pipe"); },
      [&] { return std::make_unique<PipeStream>(input, From::pipe, "the pipe", damaged); });
}

std::unique_ptr<BundleStream> open_packed(const std::string& path, Damaged damaged) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) return nullptr;
  const auto file = open_following(path);
  if (!is_packed(*file)) return nullptr;
  return diag::with_context([&] { return "reading " + text::escape(path) + " from its front to its end"; },
                            [&] { return std::make_unique<PackedStream>(file, path, damaged); });
}

}  // namespace airgap::bundle
