#include "bundle-format/blob_intake.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "bundle-format/second_attempt.hpp"
#include "common/hash/verifying_source.hpp"
#include "common/io/stream.hpp"

namespace airgap::bundle {
namespace {

/// Written bytes after which the kernel is asked to begin storing them, so that the sync at the end is short.
constexpr std::uint64_t k_writeback_step = std::uint64_t{8} << 20;
/// A rest below this is left to the sync.
constexpr std::uint64_t k_writeback_rest = std::uint64_t{1} << 20;

/// The bytes that lie in the room, then those that come. One read() never returns some of both.
class ContinuedSource : public io::Source {
 public:
  ContinuedSource(BlobRoom& room, std::uint64_t already, std::uint64_t size,
                  const transport::BlobOpener& open)
      : m_room(room), m_already(already), m_size(size), m_open(open) {}

  std::size_t read(std::span<std::byte> out) override {
    if (m_read < m_already) {
      const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), m_already - m_read));
      const std::size_t count = m_room.read_at(m_read, out.first(wanted));
      m_read += count;
      return count;  // a file cut short meanwhile ends early, which is a mismatch
    }
    if (m_already == m_size) return 0;  // all is here: nothing to ask for
    if (!m_rest) m_rest = m_open(m_already);
    return m_rest->read(out);
  }
  void reject() override {
    if (m_rest) m_rest->reject();
  }

 private:
  BlobRoom& m_room;
  std::uint64_t m_already;
  std::uint64_t m_size;
  const transport::BlobOpener& m_open;
  std::uint64_t m_read = 0;
  std::unique_ptr<io::Source> m_rest;
};

class Intake {
 public:
  Intake(const Blob& blob, BlobRoom& room, const transport::BlobOpener& open, transport::Observer& observer)
      : m_blob(blob), m_room(room), m_open(open), m_observer(observer), m_buffer(io::k_pump_buffer) {}

  void attempt(std::uint64_t already) {
    m_position = m_written_back = already;
    m_filled = 0;
    m_moved = 0;
    ContinuedSource bytes(m_room, already, m_blob.size, m_open);
    hash::VerifyingSource verified(bytes, m_blob.digest, m_blob.size);
    std::uint64_t hashed = 0;
    while (hashed < already) {
      const std::size_t count = verified.read(m_buffer);
      if (count == 0) break;
      hashed += count;
    }
    try {
      receive(verified);
    } catch (const hash::DigestMismatch&) {
      throw;  // what came is worthless
    } catch (...) {
      flush();
      throw;
    }
    flush();
    write_back(k_writeback_rest);
  }
  std::uint64_t moved() const noexcept { return m_moved; }

 private:
  // Several small reads make one large write.
  void receive(hash::VerifyingSource& verified) {
    while (const std::size_t count = verified.read(std::span(m_buffer).subspan(m_filled))) {
      m_filled += count;
      m_moved += count;
      m_observer.blob_progress(m_blob.digest, count);
      if (m_buffer.size() - m_filled < io::k_min_read) flush();
    }
  }
  void flush() {
    const std::size_t count = std::exchange(m_filled, 0);
    if (count == 0) return;
    m_room.write_at(m_position, std::span(m_buffer).first(count));
    m_position += count;
    m_room.reached(m_position);
    write_back(k_writeback_step);
  }
  void write_back(std::uint64_t least) {
    if (m_position - m_written_back < least) return;
    m_room.start_writeback(m_written_back, m_position - m_written_back);
    m_written_back = m_position;
  }

  const Blob& m_blob;
  BlobRoom& m_room;
  const transport::BlobOpener& m_open;
  transport::Observer& m_observer;
  std::vector<std::byte> m_buffer;
  std::size_t m_filled = 0;          ///< bytes in the buffer that are not written yet
  std::uint64_t m_position = 0;      ///< bytes of the blob in the file
  std::uint64_t m_written_back = 0;  ///< of them handed to the disk
  std::uint64_t m_moved = 0;         ///< bytes that came in this attempt
};

}  // namespace

std::string front_of_earlier_run(std::uint64_t bytes) {
  return fmt::format("its first {} bytes, which an earlier run left, may be damaged", bytes);
}

void take_in(const Blob& blob, std::uint64_t already, BlobRoom& room, const transport::BlobOpener& open,
             transport::Observer& observer) {
  observer.blob_started(blob.digest, blob.size, already);
  Intake intake(blob, room, open, observer);
  bool fetched = already < blob.size;
  with_second_attempt([&] { intake.attempt(already); },
                      [&] {
                        room.reached(0);
                        return true;
                      },
                      [&](const hash::DigestMismatch& first) {
                        std::string why = first.message();
                        if (already > 0)
                          why += fmt::format("; {} in {}", front_of_earlier_run(already), room.path());
                        observer.blob_rejected(blob.digest, why);
                        observer.blob_restarted(blob.digest, already + intake.moved());
                        fetched = true;
                        intake.attempt(0);
                      });
  observer.blob_finished(blob.digest, blob.size, fetched ? "fetched" : "present");
}

}  // namespace airgap::bundle
