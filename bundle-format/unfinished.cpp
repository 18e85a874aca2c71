#include "bundle-format/unfinished.hpp"

#include "common/io/file_lock.hpp"

namespace airgap::bundle {

std::string hint_for_unfinished(const std::string& lock) {
  if (io::is_locked(lock)) return "a run is writing it just now: wait for it to end";
  return "run the export again with the same command; it continues";
}

}  // namespace airgap::bundle
