#include "bundle-format/read_back.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <numeric>
#include <set>

#include "bundle-format/blame.hpp"
#include "bundle-format/inspection.hpp"
#include "bundle-format/metadata/layout.hpp"
#include "bundle-format/verify.hpp"
#include "common/diag/error.hpp"
#include "common/io/directory.hpp"

namespace airgap::bundle {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t k_jobs = 2;
/// Parts of the bundle that a sample takes something from.
constexpr std::uint64_t k_slices = 32;
/// Bytes of a sample, at least; of a large bundle it is the sixteenth part.
constexpr std::uint64_t k_sample_bytes = std::uint64_t{256} << 20;
constexpr std::uint64_t k_sample_part = 16;
constexpr std::size_t k_last_written = 3;  ///< where a medium that holds less than it claims fails
/// A run of one byte that no compressed layer has and no tar ends with.
constexpr std::uint64_t k_long_run = std::uint64_t{64} << 10;

/// Writes out what is not on the medium yet, then drops what the kernel keeps of these files. O_DIRECT would
/// add nothing: every file system of removable media keeps files in the page cache that this empties (of
/// clean pages, which they are after the sync), and those with a cache of their own (ZFS) serve O_DIRECT from
/// it too.
void forget_cached(const std::string& path) {
  std::error_code error;
  const bool directory = fs::is_directory(path, error);
  const std::string parent = fs::path(path).parent_path();
  io::Directory::open(directory ? path : parent.empty() ? "." : parent).sync_file_system();
  const auto forget = [](const std::string& file) {
    try {
      io::File::open_read(file).done_with(0, 0);
    } catch (const diag::StorageError&) {  // what is of the bundle is read next, and fails there
    }
  };
  if (!directory) return forget(path);
  // What operating systems keep to themselves (lost+found) is not of the bundle.
  fs::recursive_directory_iterator at(path, fs::directory_options::skip_permission_denied, error);
  for (; !error && at != fs::recursive_directory_iterator(); at.increment(error)) {
    if (at->is_regular_file(error) && !at->is_symlink(error)) forget(at->path());
  }
  if (error) io::throw_errno(error.value(), "cannot read the directory " + path);
}

/// A medium that keeps what it had before holds a bundle that agrees with itself.
void compare_with_written(Inspection& found, const std::optional<hash::Digest>& sums) {
  if (!sums || found.sums == sums || (!found.sums && !found.findings.empty())) return;
  const std::string gives = found.sums ? found.sums->str() : "nothing";
  found.findings.insert(found.findings.begin(),
                        {.file = std::string(k_sha256_file),
                         .problem = fmt::format("it is not the one that was written: expected {}, found {}",
                                                sums->str(), gives)});
  found.sums.reset();
}

/// How the bytes of a damaged blob look, where that says something: a medium that holds less than it claims
/// gives zeros, or ones, for what it never stored.
std::string pattern_of(const Inspection& bundle, const Blob& blob) {
  const auto bytes = bundle.blob_bytes(blob, 0);
  std::vector<std::byte> buffer(io::k_pump_buffer);
  std::uint64_t position = 0;
  std::uint64_t run = 0;  // bytes at the end that are all the same
  std::byte last{};
  while (const std::size_t count = bytes->read(buffer)) {
    for (std::size_t i = 0; i < count; ++i) {
      run = position + i > 0 && buffer[i] == last ? run + 1 : 1;
      last = buffer[i];
    }
    position += count;
  }
  if ((last != std::byte{0} && last != std::byte{0xFF}) || run < std::min(k_long_run, blob.size)) return {};
  return fmt::format("the medium gives {} from byte {} on", last == std::byte{0} ? "zeros" : "ones",
                     position - run);
}

void add_patterns(const Inspection& bundle, const std::vector<Blob>& read, std::vector<Finding>& findings) {
  for (Finding& finding : findings) {
    if (finding.kind != diag::ErrorKind::integrity) continue;
    if (finding.blobs.empty()) continue;
    const auto blob = std::ranges::find(read, finding.blobs.front(), &Blob::digest);
    if (blob == read.end()) continue;
    try {
      const std::string pattern = pattern_of(bundle, *blob);
      if (pattern.empty()) continue;
      finding.problem += ": " + pattern;
      std::swap(finding, findings.front());  // it says most
    } catch (const diag::Error&) {           // it reads no longer; that it is damaged is known
    }
  }
}

class Reader {
 public:
  Reader(Inspection bundle, std::stop_token stop, const std::function<void(std::uint64_t)>& progress)
      : m_bundle(std::move(bundle)), m_stop(std::move(stop)), m_progress(progress) {
    for (const Blob& blob : m_bundle.readable) m_there.insert(blob.digest);
    m_result.files = m_bundle.files - m_bundle.readable.size();
    m_result.bytes = m_bundle.metadata_bytes;
    m_result.findings = std::move(m_bundle.findings);
  }

  bool found_damage() const { return !m_result.findings.empty(); }
  const std::vector<Blob>& readable() const { return m_bundle.readable; }

  void read(const std::vector<Blob>& blobs) {
    std::vector<Blob> fresh;
    for (const Blob& blob : blobs) {
      if (!m_read.insert(blob.digest).second) continue;
      m_there.contains(blob.digest) ? fresh.push_back(blob) : miss(blob);
    }
    auto findings = read_blobs(m_bundle, fresh, k_jobs, m_stop, m_progress);
    add_patterns(m_bundle, fresh, findings);
    m_unread.insert(m_unread.end(), findings.begin(), findings.end());
    m_result.findings.insert(m_result.findings.begin(), findings.begin(), findings.end());
    m_result.files += fresh.size();
    for (const Blob& blob : fresh) m_result.bytes += blob.stored_size;
  }

  /// Blobs that came back wrong once may have been read wrongly, by a cable or by this machine. One that is
  /// wrong again is enough to blame the medium for all of them.
  void read_again(const std::function<void()>& forget) {
    if (!found_damage() || m_unread.size() != m_result.findings.size()) return;
    forget();
    for (const Finding& finding : m_unread) {
      const auto blob = std::ranges::find(m_bundle.readable, lost_with(finding).front(), &Blob::digest);
      if (!read_blobs(m_bundle, {*blob}, 1, m_stop, [](std::uint64_t) {}).empty()) return;
    }
    for (const Finding& finding : m_unread) m_result.unsteady.push_back(finding.file);
    m_unread.clear();
    m_result.findings.clear();
  }

  ReadBack result() && {
    std::set<hash::Digest> damaged;
    for (const Finding& finding : m_result.findings) {
      const std::vector<hash::Digest> lost = lost_with(finding);
      damaged.insert(lost.begin(), lost.end());
    }
    m_result.damaged.assign(damaged.begin(), damaged.end());
    if (m_bundle.info && m_bundle.sums && found_damage())
      m_result.images = blame(m_bundle, m_unread, m_result.findings);
    return std::move(m_result);
  }

 private:
  void miss(const Blob& blob) {
    m_result.findings.push_back({.file = blob_path(blob.digest), .problem = "it is missing"});
  }

  Inspection m_bundle;
  std::set<hash::Digest> m_there;  ///< what can be read
  std::stop_token m_stop;
  const std::function<void(std::uint64_t)>& m_progress;
  std::set<hash::Digest> m_read;
  std::vector<Finding> m_unread;  ///< those of blobs that could not be read
  ReadBack m_result;
};

std::uint64_t stored_bytes(const std::vector<Blob>& blobs) {
  return std::accumulate(blobs.begin(), blobs.end(), std::uint64_t{0},
                         [](std::uint64_t sum, const Blob& blob) { return sum + blob.stored_size; });
}

/// Of each slice any blob up to `small` bytes, or else its smallest. The large ones come last, in any order.
std::vector<Blob> one_of_each(std::vector<std::vector<Blob>>& slices, std::uint64_t small,
                              std::mt19937_64& dice) {
  std::vector<Blob> picks;
  std::vector<Blob> large;
  for (std::vector<Blob>& slice : slices) {
    if (slice.empty()) continue;
    std::ranges::shuffle(slice, dice);
    const auto any = std::ranges::find_if(slice, [&](const Blob& blob) { return blob.stored_size <= small; });
    if (any != slice.end()) {
      picks.push_back(*any);
    } else {
      large.push_back(*std::ranges::min_element(slice, {}, &Blob::stored_size));
    }
  }
  std::ranges::shuffle(large, dice);
  picks.insert(picks.end(), large.begin(), large.end());
  return picks;
}

}  // namespace

std::vector<Blob> choose_sample(const std::vector<Blob>& blobs, const std::vector<Blob>& written,
                                std::mt19937_64& dice) {
  std::vector<Blob> chosen;
  const std::vector<Blob>& latest = written.empty() ? blobs : written;
  for (std::size_t i = 0; i < std::min(k_last_written, latest.size()); ++i)
    chosen.push_back(latest[latest.size() - 1 - i]);
  const std::uint64_t all = stored_bytes(blobs);
  const std::uint64_t budget = std::max(k_sample_bytes, all / k_sample_part);
  std::vector<std::vector<Blob>> slices(k_slices);
  std::uint64_t offset = 0;
  for (const Blob& blob : blobs) {
    slices[std::min(k_slices - 1, offset / (all / k_slices + 1))].push_back(blob);
    offset += blob.stored_size;
  }
  const std::vector<Blob> picks = one_of_each(slices, budget / k_slices, dice);
  std::uint64_t taken = 0;
  for (const Blob& blob : picks) {
    if (blob.stored_size > budget / k_slices && taken + blob.stored_size > budget) continue;
    taken += blob.stored_size;
    chosen.push_back(blob);
  }
  return chosen;
}

ReadBack read_back(const BundleWriter& sealed, MediaCheck depth, const std::vector<Blob>& written,
                   std::stop_token stop, const std::function<void(std::uint64_t)>& progress) {
  const auto forget = [&] {
    for (const std::string& path : sealed.sealed_paths()) forget_cached(path);
  };
  forget();
  Inspection found = sealed.inspect_sealed();
  compare_with_written(found, sealed.sealed_sums());
  Reader reader(std::move(found), std::move(stop), progress);
  if (depth == MediaCheck::sample && !reader.found_damage()) {
    std::mt19937_64 dice(std::random_device{}());
    reader.read(choose_sample(reader.readable(), written, dice));
  }
  // What is damaged is taken out of the bundle: then all of it has to be known.
  if (depth == MediaCheck::full || reader.found_damage()) reader.read(reader.readable());
  reader.read_again(forget);
  return std::move(reader).result();
}

}  // namespace airgap::bundle
