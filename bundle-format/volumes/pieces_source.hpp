#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "common/hash/hasher.hpp"
#include "common/io/file.hpp"
#include "common/io/stream.hpp"

namespace airgap::bundle {

/// Bytes in one of several volumes, counted from 0 as the caller counts them.
struct Stretch {
  std::size_t volume = 0;
  std::uint64_t offset = 0;  ///< in the file
  std::uint64_t length = 0;
  /// Checked when all of it was read. Not with only its end.
  std::optional<hash::Digest> sha256{};
};

/// Opens a volume, and may take its time: somebody may be looking for a disc.
using OpenVolume = std::function<std::shared_ptr<const io::File>(std::size_t volume)>;

/// One stretch after the other, as if they lay in one file. Holds one volume open at a time, and none before
/// the first read(). A volume that ends early is an IntegrityError, and so is a stretch with other bytes than
/// its digest says.
class PiecesSource final : public io::Source {
 public:
  PiecesSource(OpenVolume open, std::vector<Stretch> stretches);
  std::size_t read(std::span<std::byte> out) override;

 private:
  void finish_stretch();

  OpenVolume m_open;
  std::vector<Stretch> m_stretches;
  std::size_t m_current = 0;
  std::uint64_t m_done = 0;  ///< bytes of the current stretch
  std::shared_ptr<const io::File> m_file;
  std::optional<hash::Hasher> m_hasher;
};

/// What is left of the stretches after their first `offset` bytes.
std::vector<Stretch> without_front(std::vector<Stretch> stretches, std::uint64_t offset);

}  // namespace airgap::bundle
