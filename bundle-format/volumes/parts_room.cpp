#include "bundle-format/volumes/parts_room.hpp"

#include <algorithm>

#include "common/diag/error.hpp"

namespace airgap::bundle {

PartsRoom::PartsRoom(std::vector<PartPlace> parts, const hash::Digest& digest, bool hash_parts)
    : m_hash_parts(hash_parts) {
  std::uint64_t start = 0;
  for (PartPlace& part : parts) {
    const io::File& file = *part.file;
    m_rooms.push_back({std::move(part.file), start, part.place.size, MarkedRoom(file, part.place, digest)});
    start += part.place.size;
  }
}

template <class Each>
void PartsRoom::across(std::uint64_t offset, std::uint64_t length, Each&& each) {
  for (Room& room : m_rooms) {
    const std::uint64_t begin = std::max(offset, room.start);
    const std::uint64_t end = std::min(offset + length, room.start + room.size);
    if (begin < end) each(room.marked, begin - room.start, begin - offset, end - begin);
  }
}

std::size_t PartsRoom::read_at(std::uint64_t offset, std::span<std::byte> out) {
  std::size_t done = 0;
  across(offset, out.size(),
         [&](MarkedRoom& room, std::uint64_t at, std::uint64_t from, std::uint64_t count) {
           if (done != from) return;  // a file that was cut ends it
           done +=
               room.read_at(at, out.subspan(static_cast<std::size_t>(from), static_cast<std::size_t>(count)));
         });
  hash_on(offset, out.first(done));
  return done;
}

void PartsRoom::write_at(std::uint64_t offset, std::span<const std::byte> data) {
  across(offset, data.size(),
         [&](MarkedRoom& room, std::uint64_t at, std::uint64_t from, std::uint64_t count) {
           room.write_at(at, data.subspan(static_cast<std::size_t>(from), static_cast<std::size_t>(count)));
         });
  hash_on(offset, data);
}

void PartsRoom::start_writeback(std::uint64_t offset, std::uint64_t length) {
  across(offset, length, [&](MarkedRoom& room, std::uint64_t at, std::uint64_t, std::uint64_t count) {
    room.start_writeback(at, count);
  });
}

void PartsRoom::reached(std::uint64_t bytes) {
  if (bytes == 0) return clear();
  for (Room& room : m_rooms) {
    if (bytes <= room.start) break;
    const std::uint64_t here = std::min(bytes - room.start, room.size);
    room.marked.reached(here);
    if (here == room.size) room.marked.mark();
  }
}

void PartsRoom::mark() {
  for (Room& room : m_rooms) room.marked.mark();
}

void PartsRoom::clear() {
  for (Room& room : m_rooms) room.marked.clear();
}

void PartsRoom::hash_on(std::uint64_t offset, std::span<const std::byte> data) {
  if (!m_hash_parts) return;
  if (offset == 0) {
    m_hashers.clear();
    for (std::size_t i = 0; i < m_rooms.size(); ++i) m_hashers.emplace_back(hash::Algorithm::sha256);
    m_hashed = 0;
  }
  if (offset != m_hashed || m_hashers.empty())
    throw diag::InternalError("the bytes of a blob went by out of order");
  for (std::size_t i = 0; i < m_rooms.size(); ++i) {
    const std::uint64_t begin = std::max(offset, m_rooms[i].start);
    const std::uint64_t end = std::min(offset + data.size(), m_rooms[i].start + m_rooms[i].size);
    if (begin >= end) continue;
    m_hashers[i].update(
        data.subspan(static_cast<std::size_t>(begin - offset), static_cast<std::size_t>(end - begin)));
  }
  m_hashed += data.size();
}

std::vector<hash::Digest> PartsRoom::take_digests() {
  std::vector<hash::Digest> digests;
  for (hash::Hasher& hasher : m_hashers) digests.push_back(hasher.finish());
  m_hashers.clear();
  return digests;
}

}  // namespace airgap::bundle
