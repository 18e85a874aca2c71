#pragma once

#include "common/io/directory.hpp"

namespace airgap::io {

/// Holds an exclusive flock on a file for as long as it lives; a crash releases it. Throws BusyError (exit 8)
/// when another run holds it (R135). File systems without locks are tolerated, with a warning once a run.
class FileLock {
 public:
  FileLock(const Directory& directory, std::string_view name);

 private:
  File m_file;
};

/// Whether somebody holds a FileLock on that file. Only looks, and says no where the kernel does not tell: of
/// another machine, and of some file systems.
bool is_locked(const std::string& path);

}  // namespace airgap::io
