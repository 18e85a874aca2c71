#include "tests/unit/common/cli/child_process.hpp"

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>

namespace airgap::cli::testing {

MemoryFile::MemoryFile() : m_fd(::memfd_create("test", MFD_CLOEXEC)) {}
MemoryFile::~MemoryFile() {
  ::close(m_fd);
}

std::string MemoryFile::text() const {
  std::string text;
  std::array<char, 4096> part{};
  while (true) {
    const ssize_t count = ::pread(m_fd, part.data(), part.size(), static_cast<off_t>(text.size()));
    if (count <= 0) return text;
    text.append(part.data(), static_cast<std::size_t>(count));
  }
}

Outcome in_child(const std::function<int()>& body) {
  const MemoryFile out;
  const MemoryFile err;
  const pid_t child = ::fork();
  if (child == 0) {
    ::dup2(out.fd(), 1);
    ::dup2(err.fd(), 2);
    ::_exit(body());
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status), out.text(), err.text()};
}

Outcome run_app(const std::function<void(App&)>& declare, std::vector<std::string> arguments) {
  return in_child([&] {
    App app("airgap-test", "A program of the tests");
    declare(app);
    arguments.insert(arguments.begin(), "airgap-test");
    std::vector<char*> argv;
    for (std::string& argument : arguments) argv.push_back(argument.data());
    return app.run(static_cast<int>(argv.size()), argv.data());
  });
}

}  // namespace airgap::cli::testing
