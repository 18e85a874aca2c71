#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "common/tar/tar_layout.hpp"

namespace airgap::bundle {

/// The bytes of an unfinished archive, as relocation needs them. Offsets in bytes.
class ArchiveBytes {
 public:
  virtual ~ArchiveBytes() = default;
  virtual std::uint64_t size() const = 0;
  virtual std::size_t read_at(std::uint64_t offset, std::span<std::byte> out) const = 0;
  virtual void write_at(std::uint64_t offset, std::span<const std::byte> data) = 0;
  virtual void sync() = 0;  ///< all that was written is on stable storage when it returns
};

/// A blob that stays while the plan around it changes.
struct KeptBlob {
  tar::Place from;
  tar::Place to;
  std::uint64_t bytes = 0;  ///< from the front, that are there; all of them for a whole blob
  std::string slot;         ///< what then stands where its header belongs: the header, or how far it came
};

/// From one layout to another.
struct Relocation {
  std::vector<tar::Place> old_places;  ///< of every blob in the old layout
  std::vector<KeptBlob> kept;          ///< in archive order, which is the same in both layouts
  std::vector<tar::Place> absent;      ///< places in the new layout that hold nothing yet
};

/// Moves blobs to where a new plan wants them, within the file, and takes the old head back first: a crash on
/// the way leaves no head, and no header either whose blob is not there. Afterwards the slots of `absent` are
/// zero and the area of the new head is free. Padding behind the kept blobs is zero.
/// Throws Interrupted between two chunks when `stop` is asked for; a journal tells the next run what to look
/// for (relocation_journal.hpp).
void relocate(ArchiveBytes& archive, const Relocation& relocation, const std::stop_token& stop = {});

/// Zeros, in bytes.
void write_zeros(ArchiveBytes& archive, std::uint64_t offset, std::uint64_t length);

}  // namespace airgap::bundle
