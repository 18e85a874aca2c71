#include "bundle-format/archive/archive_relocation.hpp"

#include <algorithm>

#include "common/diag/error.hpp"
#include "common/io/stream.hpp"

namespace airgap::bundle {
namespace {

constexpr std::size_t k_chunk = std::size_t{1} << 20;  ///< bytes moved at a time

class Mover {
 public:
  Mover(ArchiveBytes& archive, const std::stop_token& stop)
      : m_archive(archive), m_stop(stop), m_buffer(k_chunk) {}

  // Old and new range may overlap: the end that lies in the direction of the move goes first.
  void move(std::uint64_t from, std::uint64_t to, std::uint64_t length) {
    for (std::uint64_t done = 0; done < length;) {
      const std::uint64_t count = std::min<std::uint64_t>(m_buffer.size(), length - done);
      if (m_stop.stop_requested()) throw diag::Interrupted();
      const std::uint64_t at = to < from ? done : length - done - count;
      copy(from + at, to + at, static_cast<std::size_t>(count));
      done += count;
    }
  }

 private:
  void copy(std::uint64_t from, std::uint64_t to, std::size_t count) {
    const auto chunk = std::span(m_buffer).first(count);
    if (m_archive.read_at(from, chunk) != count) {
      throw diag::StorageError("the unfinished archive ended while it was being rearranged",
                               "remove the .partial file and run again");
    }
    m_archive.write_at(to, chunk);
  }

  ArchiveBytes& m_archive;
  const std::stop_token& m_stop;
  std::vector<std::byte> m_buffer;
};

bool holds_other_than_zeros(const ArchiveBytes& archive, std::uint64_t offset, std::uint64_t length) {
  std::vector<std::byte> bytes(static_cast<std::size_t>(length));
  bytes.resize(archive.read_at(offset, bytes));
  return std::ranges::any_of(bytes, [](std::byte b) { return b != std::byte{0}; });
}

// Writes only where something is: beyond the end, and in a hole, a slot is zero already.
void clear_slot(ArchiveBytes& archive, const tar::Place& place) {
  if (place.header < archive.size() && holds_other_than_zeros(archive, place.header, place.header_size)) {
    write_zeros(archive, place.header, place.header_size);
  }
}

void take_back_old_layout(ArchiveBytes& archive, const Relocation& relocation) {
  if (archive.size() > 0) write_zeros(archive, 0, tar::k_block);
  for (const tar::Place& place : relocation.old_places) clear_slot(archive, place);
  archive.sync();
}

// A blob that moves right ends before the next one's new place, so it can only run into blobs that move right
// as well: those go first. Likewise to the left. So neither direction touches what the other has yet to read.
void move_blobs(ArchiveBytes& archive, const std::vector<KeptBlob>& kept, const std::stop_token& stop) {
  Mover mover(archive, stop);
  for (auto blob = kept.rbegin(); blob != kept.rend(); ++blob) {
    if (blob->to.data > blob->from.data) mover.move(blob->from.data, blob->to.data, blob->bytes);
  }
  for (const KeptBlob& blob : kept) {
    if (blob.to.data < blob.from.data) mover.move(blob.from.data, blob.to.data, blob.bytes);
  }
}

}  // namespace

void write_zeros(ArchiveBytes& archive, std::uint64_t offset, std::uint64_t length) {
  const std::vector<std::byte> zeros(static_cast<std::size_t>(std::min<std::uint64_t>(length, k_chunk)));
  while (length > 0) {
    const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(length, zeros.size()));
    archive.write_at(offset, std::span(zeros).first(count));
    offset += count;
    length -= count;
  }
}

void relocate(ArchiveBytes& archive, const Relocation& relocation, const std::stop_token& stop) {
  take_back_old_layout(archive, relocation);
  move_blobs(archive, relocation.kept, stop);
  for (const KeptBlob& blob : relocation.kept) {
    write_zeros(archive, blob.to.header, blob.to.header_size);
    if (blob.bytes == blob.to.size)
      write_zeros(archive, blob.to.data + blob.to.size, blob.to.end() - blob.to.data - blob.to.size);
  }
  // What was data may look like a header where a slot is now.
  for (const tar::Place& place : relocation.absent) clear_slot(archive, place);
  archive.sync();
  for (const KeptBlob& blob : relocation.kept) archive.write_at(blob.to.header, io::bytes_of(blob.slot));
}

}  // namespace airgap::bundle
