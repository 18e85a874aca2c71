#include "bundle-format/volumes/volumes_in_turn.hpp"

#include <utility>

namespace airgap::bundle {
namespace {

/// Reads one part after the other.
class InTurn final : public io::Source {
 public:
  InTurn(const VolumesAtHand& volumes, const Blob& blob, VolumesAtHand::Bring bring)
      : m_volumes(volumes), m_blob(blob), m_bring(std::move(bring)) {}

  std::size_t read(std::span<std::byte> out) override {
    while (m_done < m_blob.stored_size || !m_part) {
      if (!m_part) {
        if (!m_volumes.has_byte(m_blob, m_done)) m_bring(m_blob, m_done);
        m_part = m_volumes.open_part(m_blob, m_done);
      }
      if (const std::size_t count = m_part->read(out)) {
        m_done += count;
        return count;
      }
      if (m_done == m_blob.stored_size) break;
      m_part = nullptr;  // closed: the disc may be taken out
    }
    // The end of the last part has its check sum compared.
    return m_part->read(out);
  }

 private:
  const VolumesAtHand& m_volumes;
  const Blob& m_blob;
  VolumesAtHand::Bring m_bring;
  std::uint64_t m_done = 0;
  std::unique_ptr<io::Source> m_part;
};

}  // namespace

std::unique_ptr<io::Source> open_in_turn(const VolumesAtHand& volumes, const Blob& blob,
                                         VolumesAtHand::Bring bring) {
  return std::make_unique<InTurn>(volumes, blob, std::move(bring));
}

}  // namespace airgap::bundle
