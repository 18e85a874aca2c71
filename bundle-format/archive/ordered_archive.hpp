#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "bundle-format/archive/archive_plan.hpp"
#include "bundle-format/archive/turns.hpp"
#include "bundle-format/metadata/contents.hpp"
#include "common/hash/hasher.hpp"
#include "common/io/stream.hpp"
#include "common/transport/image_source.hpp"
#include "common/transport/observer.hpp"

namespace airgap::bundle {

class OrderedBlob;

/// The front of a blob that is in its place already.
struct BegunBlob {
  std::uint64_t bytes = 0;
  hash::Hasher hasher;  ///< has hashed them
};

/// The front of a blob that lies elsewhere; unverified until the whole blob is.
struct Front {
  std::uint64_t bytes = 0;
  std::function<std::unique_ptr<io::Source>(std::uint64_t offset)> open{};  ///< from there to their end
};

/// An archive written from its first byte to its last. put() calls that are not next in the plan fetch a few
/// MiB into memory and wait for their turn, so calls must be started in that order. The first failure ends
/// the output, and every call in progress fails with it. A blob that does not have its digest is tried once
/// more from zero (R4), unless some of it is out and cannot be taken back.
class OrderedArchive {
 public:
  /// The bytes of a blob that lies in another file; null where it does not.
  struct Kept {
    std::unique_ptr<io::Source> bytes;
    std::string path;
  };
  /// Opens a blob that nobody is going to put() from a byte of it on, unverified; nothing when it is to be
  /// put(). A damaged one ends the output with DamagedBundle, out of whatever call it is copied in.
  using KeptBlob = std::function<Kept(const Blob&, std::uint64_t offset)>;

  /// Where the front of a blob lies that is to be put(): it is copied before the rest is asked for.
  using KeptFront = std::function<Front(const Blob&)>;

  /// Takes back what `out` was given from this byte of the archive on, where a blob's bytes begin.
  using TakeBack = std::function<void(std::uint64_t offset)>;

  /// `plan` and `out` are borrowed. Without `take_back`, `out` is for good.
  OrderedArchive(const ArchivePlan& plan, io::Sink& out, KeptBlob kept = {}, TakeBack take_back = {},
                 KeptFront front = {});

  /// Writes the metadata files, the manifests, and the kept blobs that follow them.
  void begin(const Contents& contents);
  /// Goes on where `out` has the first `blobs` blobs, to the last byte of the last of them, and maybe the
  /// front of the next, which is no manifest.
  void resume(const Contents& contents, std::size_t blobs, std::optional<BegunBlob> next);
  void put(const Blob& blob, const transport::BlobOpener& open, transport::Observer& observer);
  /// Writes the end. InternalError when blobs are missing.
  void finish();

 private:
  void write(std::string_view bytes);
  void fill_to(std::uint64_t offset);
  void begin_member(std::size_t blob);
  void write_known(const Contents& contents, std::size_t from);
  /// Writes the kept blobs from there on, while the turn before them is held. Returns how many.
  std::size_t write_kept(std::size_t from);
  /// False where it is not kept.
  bool copy_kept(std::size_t index);
  void copy_from_zero(const Blob& blob, const Kept& kept);
  void copy(const Blob& blob, io::Source& bytes, BegunBlob begun);
  void put_in_turn(std::size_t index, const transport::BlobOpener& open, transport::Observer& observer);
  /// Fetches so many bytes, waits for the turn, writes the blob.
  void write_in_turn(std::size_t index, std::size_t capacity, OrderedBlob& arriving);
  /// False where that is impossible.
  bool take_back(std::size_t index, const OrderedBlob& written);
  std::size_t prefetched(std::size_t index, std::uint64_t missing) const;

  const ArchivePlan& m_plan;
  io::Sink& m_out;
  KeptBlob m_kept;
  TakeBack m_take_back;
  KeptFront m_front;
  std::optional<BegunBlob> m_begun;  ///< of the blob whose turn comes first
  std::size_t m_begun_index = 0;
  Turns m_turns;
  std::uint64_t m_position = 0;  ///< bytes written; belongs to whose turn it is
};

}  // namespace airgap::bundle
