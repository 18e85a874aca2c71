#pragma once

#include <functional>
#include <memory>

#include "bundle-format/archive/archive_plan.hpp"
#include "bundle-format/archive/turns.hpp"
#include "bundle-format/metadata/contents.hpp"
#include "common/io/stream.hpp"
#include "common/transport/image_source.hpp"
#include "common/transport/observer.hpp"

namespace airgap::bundle {

class OrderedBlob;

/// An archive written from its first byte to its last, for where nothing can be written twice. put() calls
/// that are not next in the plan fetch a few MiB into memory and wait for their turn, so calls must be
/// started in that order. The first failure ends the output, and every call in progress fails with it. Blobs
/// of a few MiB are whole in memory, and verified, before they are written.
class OrderedArchive {
 public:
  /// Opens a blob that nobody is going to put(), unverified; null when it is to be put().
  using KeptBlob = std::function<std::unique_ptr<io::Source>(const Blob&)>;

  /// `plan` and `out` are borrowed.
  OrderedArchive(const ArchivePlan& plan, io::Sink& out, KeptBlob kept = {});

  /// Writes the metadata files, the manifests, and the kept blobs that follow them.
  void begin(const Contents& contents);
  /// Goes on where `out` has the first `blobs` blobs, to the last byte of the last of them.
  void resume(const Contents& contents, std::size_t blobs);
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
  void copy(const Blob& blob, io::Source& bytes);
  void put_in_turn(std::size_t index, const transport::BlobOpener& open, transport::Observer& observer);
  std::unique_ptr<OrderedBlob> prefetch(const Blob& blob, std::size_t capacity,
                                        const transport::BlobOpener& open,
                                        transport::Observer& observer) const;

  const ArchivePlan& m_plan;
  io::Sink& m_out;
  KeptBlob m_kept;
  Turns m_turns;
  std::uint64_t m_position = 0;  ///< bytes written; belongs to whose turn it is
};

}  // namespace airgap::bundle
