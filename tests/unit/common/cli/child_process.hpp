#pragma once

#include <functional>
#include <string>
#include <vector>

#include "common/cli/app.hpp"

namespace airgap::cli::testing {

struct Outcome {
  int status = 0;  ///< exit status, or -signal
  std::string out;
  std::string err;
};

/// Runs `body` in a child process whose outputs are kept; what it returns is the exit status.
Outcome in_child(const std::function<int()>& body);

/// Runs the App that `declare` fills, as a program named airgap-test.
Outcome run_app(const std::function<void(App&)>& declare, std::vector<std::string> arguments);

/// A memory file: what was written to it can be read back.
class MemoryFile {
 public:
  MemoryFile();
  ~MemoryFile();
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;
  int fd() const { return m_fd; }
  std::string text() const;

 private:
  int m_fd;
};

}  // namespace airgap::cli::testing
