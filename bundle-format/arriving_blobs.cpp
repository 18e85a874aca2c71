#include "bundle-format/arriving_blobs.hpp"

#include <utility>

#include "bundle-format/blob_intake.hpp"
#include "bundle-format/partial_area.hpp"
#include "common/diag/error.hpp"

namespace airgap::bundle {
namespace {

/// Up to this many files are synced one by one; above it one sync of the file system is cheaper.
constexpr std::size_t k_single_syncs = 16;

class WholeFileRoom final : public FileRoom {
 public:
  explicit WholeFileRoom(const io::File& file) : FileRoom(file, 0) {}
  void reached(std::uint64_t bytes) override {
    if (bytes == 0) file().truncate(0);
  }
};

}  // namespace

ArrivingBlobs::ArrivingBlobs(const io::Directory& root, Publish publish)
    : m_root(root),
      m_batches(root.path(), {.sync = [this](const std::vector<Blob>& batch) { sync(batch); },
                              .publish = std::move(publish),
                              .forget =
                                  [this](const std::vector<Blob>& batch) {
                                    for (const Blob& blob : batch)
                                      m_root.remove_file(PartialArea::name_of(blob.digest));
                                  }}) {}

bool ArrivingBlobs::waiting(const hash::Digest& digest) const {
  return m_batches.waiting([&](const Blob& blob) { return blob.digest == digest; });
}

std::uint64_t ArrivingBlobs::partial_bytes(const Blob& blob) const {
  return PartialArea::bytes_of(m_root, blob.digest, blob.size);
}

void ArrivingBlobs::receive(const Blob& blob, const transport::BlobOpener& open,
                            transport::Observer& observer) {
  const std::string name = PartialArea::name_of(blob.digest);
  try {
    io::File file = m_root.open_for_update(name);
    WholeFileRoom room(file);
    std::uint64_t already = file.size();
    if (already > blob.size) {
      file.truncate(0);
      already = 0;
    }
    take_in(blob, already, room, open, observer);
    file.close();
  } catch (...) {
    if (m_batches.failed()) m_root.remove_file(name);
    throw;
  }
  m_batches.add(blob, blob.stored_size);
}

void ArrivingBlobs::store(const Blob& blob, std::string_view bytes) {
  const std::string name = PartialArea::name_of(blob.digest);
  m_root.remove_file(name);
  io::File file = m_root.create_file(name);
  file.write_all(io::bytes_of(bytes));
  file.close();
  m_batches.add(blob, blob.stored_size);
}

void ArrivingBlobs::sync(const std::vector<Blob>& batch) const {
  if (batch.size() > k_single_syncs) return m_root.sync_file_system();
  for (const Blob& blob : batch) m_root.open_for_update(PartialArea::name_of(blob.digest)).sync();
}

}  // namespace airgap::bundle
