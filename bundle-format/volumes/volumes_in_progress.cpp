#include "bundle-format/volumes/volumes_in_progress.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "bundle-format/archive/partial_archive.hpp"
#include "bundle-format/volumes/volume_seal.hpp"
#include "common/diag/error.hpp"

namespace airgap::bundle {
VolumesInProgress::VolumesInProgress(const io::Directory& directory, const VolumeNames& names,
                                     const VolumePlan& plan, std::string path)
    : m_plan(plan),
      m_path(std::move(path)),
      m_files(directory, names, plan),
      m_batches(m_path, {.sync = [this](const auto& blobs) { sync(blobs); },
                         .publish =
                             [this](const auto& blobs) {
                               write_headers(blobs);
                               seal_whole(blobs);
                             },
                         .forget = [this](const auto& blobs) { forget(blobs); }}) {
  m_state.with([&](State& state) {
    state.blobs.assign(plan.blobs.size(), {});
    state.left.assign(plan.volumes.size(), 0);
    for (const auto& parts : plan.parts) {
      for (const PartIndex at : parts) ++state.left[at.volume];
    }
    state.sealed.assign(plan.volumes.size(), false);
    state.digests.assign(plan.volumes.size(), {});
  });
}

void VolumesInProgress::take_up(const LeftSet& left, const std::set<std::size_t>& named) {
  for (const auto& [number, volume] : left.volumes) m_files.keep(number - 1, named.contains(number - 1));
  m_state.with([&](State& state) {
    for (std::size_t i = 0; i < m_plan.blobs.size(); ++i) {
      const Blob& blob = m_plan.blobs[i];
      state.blobs[i] = {.whole = left.has(blob), .bytes = left.partial_bytes(blob)};
      if (!state.blobs[i].whole) continue;
      for (const PartIndex at : m_plan.parts[i]) --state.left[at.volume];
    }
    for (const std::size_t volume : named) state.sealed[volume] = true;
  });
}

BlobState VolumesInProgress::blob(std::size_t index) const {
  return m_state.with([&](const State& state) { return state.blobs[index]; });
}

bool VolumesInProgress::whole() const {
  return m_state.with([](const State& state) { return std::ranges::all_of(state.blobs, &BlobState::whole); });
}

std::vector<PartPlace> VolumesInProgress::places_of(std::size_t blob) {
  std::vector<PartPlace> places;
  for (const PartIndex at : m_plan.parts[blob])
    places.push_back({m_files.open(at.volume), m_plan.place_of(at)});
  return places;
}

void VolumesInProgress::arrived(std::size_t index, const std::vector<hash::Digest>& digests) {
  m_state.with([&](State& state) {
    for (std::size_t i = 0; i < digests.size(); ++i) {
      const PartIndex at = m_plan.parts[index][i];
      state.digests[at.volume].emplace(at.part, digests[i]);
    }
    state.blobs[index].bytes = m_plan.blobs[index].size;
  });
  m_batches.add(index, m_plan.blobs[index].stored_size);
}

void VolumesInProgress::begun(std::size_t index, std::uint64_t bytes) {
  m_batches.store({index});
  m_state.with([&](State& state) { state.blobs[index].bytes = bytes; });
}

void VolumesInProgress::sync(const std::vector<std::size_t>& batch) {
  std::set<std::size_t> volumes;
  for (const std::size_t index : batch) {
    for (const PartIndex at : m_plan.parts[index]) volumes.insert(at.volume);
  }
  for (const std::size_t volume : volumes) m_files.open(volume)->sync();
}

void VolumesInProgress::write_headers(const std::vector<std::size_t>& batch) {
  for (const std::size_t index : batch) {
    for (const PartIndex at : m_plan.parts[index]) {
      m_files.open(at.volume)->write_at(m_plan.place_of(at).header,
                                        io::bytes_of(m_plan.volumes[at.volume].header_of(at.part)));
    }
  }
  m_state.with([&](State& state) {
    for (const std::size_t index : batch) state.blobs[index] = {true, m_plan.blobs[index].size};
  });
}

// Only the thread whose batch made a volume whole gets it here.
void VolumesInProgress::seal_whole(const std::vector<std::size_t>& batch) {
  const auto whole = m_state.with([&](State& state) {
    std::vector<std::size_t> volumes;
    for (const std::size_t index : batch) {
      for (const PartIndex at : m_plan.parts[index]) {
        if (--state.left[at.volume] == 0) volumes.push_back(at.volume);
      }
    }
    return volumes;
  });
  for (const std::size_t volume : whole) seal(volume);
}

void VolumesInProgress::seal(std::size_t volume) {
  const auto digests = m_state.with([&](State& state) { return state.digests[volume]; });
  seal_volume(*m_files.open(volume), m_plan, volume, digests, [&](std::size_t part) {
    return read_part_back({volume, part});
  });
  m_files.close(volume);
  m_state.with([&](State& state) { state.sealed[volume] = true; });
}

// What an earlier run wrote may have changed since, and nobody but the whole blob's digest could tell: with a
// check sum of what is there now its volume would look sound.
hash::Digest VolumesInProgress::read_part_back(PartIndex at) {
  const std::size_t index = m_plan.index.at(m_plan.part(at).digest);
  const Blob& blob = m_plan.blobs[index];
  PartsRoom room(places_of(index), blob.digest, true);
  hash::Hasher whole(blob.digest.algorithm());
  std::vector<std::byte> buffer(io::k_pump_buffer);
  for (std::uint64_t done = 0; done < blob.stored_size;) {
    const auto wanted = std::min<std::uint64_t>(buffer.size(), blob.stored_size - done);
    const std::size_t count = room.read_at(done, std::span(buffer).first(static_cast<std::size_t>(wanted)));
    if (count == 0) throw diag::StorageError("a volume of " + m_path + " is shorter than what was written");
    whole.update(std::span(buffer).first(count));
    done += count;
  }
  if (const hash::Digest found = whole.finish(); found != blob.digest) {
    m_state.with([&](State& state) { state.blobs[index] = {}; });
    forget({index});
    sync({index});
    throw diag::IntegrityError(
        fmt::format("a blob in the volumes of {} changed after it was written: expected {}, found {}", m_path,
                    blob.digest.str(), found.str()),
        "run again: what is damaged is fetched anew");
  }
  const std::vector<hash::Digest> digests = room.take_digests();
  const std::vector<PartIndex>& parts = m_plan.parts[index];
  m_state.with([&](State& state) {
    for (std::size_t i = 0; i < parts.size(); ++i)
      state.digests[parts[i].volume].emplace(parts[i].part, digests[i]);
  });
  close_sealed(parts);
  return digests[static_cast<std::size_t>(std::ranges::find(parts, at) - parts.begin())];
}

void VolumesInProgress::close_sealed(const std::vector<PartIndex>& parts) {
  for (const PartIndex at : parts) {
    if (m_state.with([&](const State& state) { return bool{state.sealed[at.volume]}; }))
      m_files.close(at.volume);
  }
}

void VolumesInProgress::forget(const std::vector<std::size_t>& blobs) {
  for (const std::size_t index : blobs) {
    for (const PartIndex at : m_plan.parts[index]) {
      FileBytes bytes(*m_files.open(at.volume));
      write_zeros(bytes, m_plan.place_of(at).header, tar::k_block);
    }
  }
}

void VolumesInProgress::seal_rest() {
  for (std::size_t i = 0; i < m_plan.volumes.size(); ++i) {
    if (!m_state.with([&](const State& state) { return bool{state.sealed[i]}; })) seal(i);
  }
}

}  // namespace airgap::bundle
