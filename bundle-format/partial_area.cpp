#include "bundle-format/partial_area.hpp"

#include <fmt/format.h>

#include <chrono>
#include <thread>

#include "bundle-format/metadata/layout.hpp"
#include "common/diag/error.hpp"

namespace airgap::bundle {
namespace {

constexpr int k_tries = 50;
constexpr std::chrono::milliseconds k_pause{20};
const std::string k_lock = std::string(k_partial_directory) + "/lock";

}  // namespace

PartialArea::PartialArea(const io::Directory& root)
    : m_root(root), m_kept(root.stat(k_partial_directory).has_value()) {
  m_root.make_directories(k_partial_directory);
  m_lock.emplace(m_root, k_lock);
}

PartialArea::~PartialArea() {
  if (m_kept) return;
  try {
    if (m_root.list(k_partial_directory).size() > 1) return;
    m_root.remove_file(k_lock);
    m_root.remove_directory(k_partial_directory);
  } catch (const diag::Error&) {  // it stays; the next run takes it over
  }
}

std::string PartialArea::lock_in(const std::string& root) {
  return root + "/" + k_lock;
}

std::string PartialArea::name_of(const hash::Digest& digest) {
  return fmt::format("{}/{}-{}", k_partial_directory, hash::name(digest.algorithm()), digest.hex());
}

std::uint64_t PartialArea::bytes_of(const io::Directory& root, const hash::Digest& digest,
                                    std::uint64_t size) {
  const auto entry = root.stat(name_of(digest));
  return entry && entry->size <= size ? entry->size : 0;
}

void PartialArea::remove_when_empty() const {
  for (int tries = 1;; ++tries) {
    try {
      return m_root.remove_directory(k_partial_directory);
    } catch (const diag::StorageError&) {
      if (tries == k_tries) throw;
      std::this_thread::sleep_for(k_pause);
    }
  }
}

void PartialArea::remove() {
  for (const io::Entry& entry : m_root.list(k_partial_directory)) {
    if (entry.name != "lock") m_root.remove_file(fmt::format("{}/{}", k_partial_directory, entry.name));
  }
  m_root.remove_file(k_lock);
  m_kept = true;  // nothing is left to clean up
  try {
    m_root.remove_directory(k_partial_directory);
  } catch (const diag::StorageError&) {
    // NFS and file systems by FUSE keep a removed file under another name until it is closed, or shortly
    // after.
    m_lock.reset();
    remove_when_empty();
  }
}

}  // namespace airgap::bundle
