#include "bundle-format/volumes/take_over.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "bundle-format/interruptible_source.hpp"
#include "bundle-format/volumes/parts_room.hpp"
#include "common/diag/error.hpp"
#include "common/diag/log.hpp"
#include "common/hash/verifying_source.hpp"

namespace airgap::bundle {

void set_aside(const io::Directory& directory, const VolumeNames& names, const std::string& path,
               VolumesLeft& left) {
  diag::log("bundle", diag::LogLevel::info,
            fmt::format("the volumes of {} were begun with another plan: taking over what they hold", path));
  const std::size_t generation = left.replaced.empty() ? 1 : left.replaced.rbegin()->first + 1;
  LeftSet& set = left.replaced[generation] = std::exchange(left.begun, {});
  for (auto& [number, volume] : set.volumes) {
    const std::string name = names.replaced(number, generation);
    directory.rename(volume.file, name);
    volume.file = name;
    volume.named = false;
  }
  directory.sync();
}

TakeOver::TakeOver(const io::Directory& directory, const VolumePlan& plan, VolumesInProgress& progress,
                   Put put, std::stop_token stop)
    : m_directory(directory),
      m_plan(plan),
      m_progress(progress),
      m_put(std::move(put)),
      m_stop(std::move(stop)) {}

void TakeOver::consume(const LeftSet& set) {
  if (!set.info) return;
  std::set<std::size_t> done;
  const auto drop_before = [&](std::size_t number) {
    m_progress.publish_batch();
    for (const auto& [other, volume] : set.volumes) {
      if (other < number && done.insert(other).second) m_directory.remove_file(volume.file);
    }
  };
  std::size_t reading = 0;
  for (const Blob& blob : set.info->blobs) {
    if (!gives_more(set, blob)) continue;
    const std::size_t first = set.parts_of(blob.digest).front().volume;
    if (first != std::exchange(reading, first)) drop_before(first);
    take(set, blob, false);
  }
  drop_before(k_max_volumes + 1);
}

void TakeOver::copy(const LeftSet& set) {
  if (!set.info) return;
  for (const Blob& blob : set.info->blobs) {
    if (gives_more(set, blob)) take(set, blob, true);
  }
}

bool TakeOver::gives_more(const LeftSet& set, const Blob& blob) const {
  const auto found = m_plan.index.find(blob.digest);
  if (found == m_plan.index.end() || m_plan.blobs[found->second].size != blob.size) return false;
  const BlobState here = m_progress.blob(found->second);
  return !here.whole && (set.has(blob) || set.partial_bytes(blob) > here.bytes);
}

void TakeOver::take(const LeftSet& set, const Blob& blob, bool finished) {
  set.partial_bytes(blob) == blob.size ? take_whole(set, blob, finished) : take_front(set, blob);
}

// What was published is in nobody's plan to be fetched; what only lies there whole is, should it be no good.
void TakeOver::take_whole(const LeftSet& set, const Blob& blob, bool finished) {
  try {
    m_put(blob, [&](std::uint64_t offset) { return open(set, blob, offset); });
  } catch (const hash::DigestMismatch& error) {
    if (!finished) set.forget(m_directory, blob.digest);
    const std::string what = fmt::format("{} damaged: {}", files_of(set, blob), error.message());
    if (set.has(blob)) {
      throw diag::IntegrityError(what, finished
                                           ? "remove the volumes and run again: all of it is fetched anew"
                                           : "run again: what is damaged is fetched anew");
    }
    diag::log("bundle", diag::LogLevel::warning, what + "; fetching it anew");
    m_progress.begun(m_plan.index.at(blob.digest), 0);
  }
}

// Nothing says which of its pieces is the damaged one.
std::string TakeOver::files_of(const LeftSet& set, const Blob& blob) const {
  const std::vector<PartIndex> parts = set.parts_of(blob.digest);
  const std::string first = m_directory.path_of(set.volumes.at(parts.front().volume).file);
  if (parts.size() == 1) return first + " is";
  return fmt::format("one of {} to {} is", first, set.volumes.at(parts.back().volume).file);
}

// Nobody hashed these bytes to the end yet: whoever brings the rest does.
void TakeOver::take_front(const LeftSet& set, const Blob& blob) {
  const std::size_t index = m_plan.index.at(blob.digest);
  const std::uint64_t there = set.partial_bytes(blob);
  std::uint64_t done = m_progress.blob(index).bytes;
  PartsRoom room(m_progress.places_of(index), blob.digest, false);
  const auto bytes = open(set, blob, done);
  std::vector<std::byte> buffer(io::k_pump_buffer);
  while (done < there) {
    const std::size_t count = bytes->read(buffer);
    if (count == 0) break;
    const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(count, there - done));
    room.write_at(done, std::span(buffer).first(wanted));
    done += wanted;
    room.reached(done);
  }
  room.mark();
  m_progress.begun(index, done);
}

std::unique_ptr<io::Source> TakeOver::open(const LeftSet& set, const Blob& blob, std::uint64_t offset) const {
  return std::make_unique<InterruptibleSource>(set.open(m_directory, blob, offset), m_stop);
}

}  // namespace airgap::bundle
