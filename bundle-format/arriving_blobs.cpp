#include "bundle-format/arriving_blobs.hpp"

#include <algorithm>
#include <utility>

#include "bundle-format/blob_intake.hpp"
#include "bundle-format/partial_area.hpp"
#include "common/diag/error.hpp"

namespace airgap::bundle {
namespace {

constexpr std::uint64_t k_batch_bytes = std::uint64_t{256} << 20;
constexpr std::size_t k_batch_files = 1024;
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
    : m_root(root), m_publish(std::move(publish)) {}

ArrivingBlobs::~ArrivingBlobs() {
  if (!m_sync_failed) return;
  try {
    const auto blobs = m_batch.with([](Batch& batch) { return std::exchange(batch.blobs, {}); });
    for (const Blob& blob : blobs) m_root.remove_file(PartialArea::name_of(blob.digest));
  } catch (const std::exception&) {  // the medium fails; nothing more can be done here
  }
}

bool ArrivingBlobs::waiting(const hash::Digest& digest) const {
  return m_batch.with([&](const Batch& batch) {
    return std::ranges::find(batch.blobs, digest, &Blob::digest) != batch.blobs.end();
  });
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
    if (m_sync_failed) m_root.remove_file(name);
    throw;
  }
  add(blob);
}

void ArrivingBlobs::store(const Blob& blob, std::string_view bytes) {
  const std::string name = PartialArea::name_of(blob.digest);
  m_root.remove_file(name);
  io::File file = m_root.create_file(name);
  file.write_all(io::bytes_of(bytes));
  file.close();
  add(blob);
}

// Whoever fills the batch publishes it, while the others go on.
void ArrivingBlobs::add(const Blob& blob) {
  const std::vector<Blob> full = m_batch.with([&](Batch& batch) -> std::vector<Blob> {
    batch.blobs.push_back(blob);
    batch.bytes += blob.stored_size;
    if (batch.bytes < k_batch_bytes && batch.blobs.size() < k_batch_files) return {};
    batch.bytes = 0;
    return std::exchange(batch.blobs, {});
  });
  publish(full);
}

void ArrivingBlobs::publish_rest() {
  publish(m_batch.with([](Batch& batch) { return std::exchange(batch.blobs, {}); }));
}

void ArrivingBlobs::publish(const std::vector<Blob>& batch) {
  if (batch.empty()) return;
  sync(batch);
  m_publish(batch);
}

void ArrivingBlobs::sync(const std::vector<Blob>& batch) {
  if (m_sync_failed) throw diag::StorageError("an earlier sync failed in " + m_root.path());
  try {
    if (batch.size() > k_single_syncs) {
      m_root.sync_file_system();
      return;
    }
    for (const Blob& blob : batch) m_root.open_for_update(PartialArea::name_of(blob.digest)).sync();
  } catch (const diag::Error&) {
    m_sync_failed = true;
    for (const Blob& blob : batch) m_root.remove_file(PartialArea::name_of(blob.digest));
    throw;
  }
}

}  // namespace airgap::bundle
