#include "common/registry/credential_helper.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string_view>
#include <system_error>
#include <thread>

#include "common/diag/error.hpp"
#include "common/io/file.hpp"
#include "common/json/reader.hpp"
#include "common/text/escape.hpp"

extern char** environ;

namespace airgap::registry {
namespace {

using Deadline = std::chrono::steady_clock::time_point;
using namespace std::chrono_literals;

constexpr std::size_t k_max_answer = std::size_t{64} << 10;  // bytes; an identity token is a few KiB
constexpr std::size_t k_max_server = 1024;                   // fits a pipe without a reader
constexpr auto k_tick = 50ms;                                // how soon a stop request is seen

[[noreturn]] void fail(const std::string& name, std::string_view why) {
  throw diag::CredentialsError(
      fmt::format("the credential helper docker-credential-{} {}", name, why),
      "run it by hand, or take it out of credHelpers or credsStore in the auth file");
}

struct Pipe {
  io::File read_end;
  io::File write_end;
};

Pipe make_pipe(const std::string& name) {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0)
    io::throw_errno(errno, "cannot make a pipe to docker-credential-" + name);
  return {io::File(ends[0], "pipe"), io::File(ends[1], "pipe")};
}

class SpawnSettings {
 public:
  SpawnSettings(const Pipe& in, const Pipe& out) {
    posix_spawn_file_actions_init(&m_actions);
    posix_spawn_file_actions_adddup2(&m_actions, in.read_end.fd(), STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&m_actions, out.write_end.fd(), STDOUT_FILENO);
    posix_spawn_file_actions_addopen(&m_actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawnattr_init(&m_attributes);
    sigset_t all{};
    sigset_t none{};
    sigfillset(&all);
    sigemptyset(&none);
    posix_spawnattr_setsigdefault(&m_attributes, &all);
    posix_spawnattr_setsigmask(&m_attributes, &none);
    posix_spawnattr_setflags(&m_attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
  }
  SpawnSettings(const SpawnSettings&) = delete;
  SpawnSettings& operator=(const SpawnSettings&) = delete;
  ~SpawnSettings() {
    posix_spawn_file_actions_destroy(&m_actions);
    posix_spawnattr_destroy(&m_attributes);
  }

  pid_t spawn(const std::string& name) const {
    std::string program = "docker-credential-" + name;
    std::string verb = "get";
    std::array<char*, 3> arguments{program.data(), verb.data(), nullptr};
    pid_t pid = -1;
    const int error =
        posix_spawnp(&pid, program.c_str(), &m_actions, &m_attributes, arguments.data(), environ);
    if (error != 0) fail(name, fmt::format("cannot be run: {}", std::generic_category().message(error)));
    return pid;
  }

 private:
  posix_spawn_file_actions_t m_actions{};
  posix_spawnattr_t m_attributes{};
};

// A running helper; killed and reaped whatever happens.
class Child {
 public:
  Child(std::string name, pid_t pid) : m_name(std::move(name)), m_pid(pid) {}
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() {
    if (m_pid < 0) return;
    kill(m_pid, SIGKILL);
    while (waitpid(m_pid, nullptr, 0) < 0 && errno == EINTR) {
    }
  }

  std::string read_answer(io::File& from, Deadline deadline, const std::stop_token& stop) {
    std::string answer;
    std::array<std::byte, 4096> buffer{};
    for (;;) {
      check_time(deadline, stop);
      pollfd waiting{from.fd(), POLLIN, 0};
      if (poll(&waiting, 1, static_cast<int>(k_tick.count())) <= 0) continue;
      const std::size_t count = from.read_some(buffer);
      if (count == 0) return answer;
      answer.append(io::text_of(std::span(buffer).first(count)));
      if (answer.size() > k_max_answer) fail(m_name, "answers with more than 64 KiB");
    }
  }

  int wait(Deadline deadline, const std::stop_token& stop) {
    for (;;) {
      int status = 0;
      const pid_t done = waitpid(m_pid, &status, WNOHANG);
      if (done == m_pid) {
        m_pid = -1;
        return status;
      }
      check_time(deadline, stop);
      std::this_thread::sleep_for(5ms);
    }
  }

 private:
  void check_time(Deadline deadline, const std::stop_token& stop) const {
    if (stop.stop_requested()) throw diag::Interrupted();
    if (std::chrono::steady_clock::now() > deadline) fail(m_name, "did not answer in time and was ended");
  }

  std::string m_name;
  pid_t m_pid;
};

bool is_program_name(std::string_view name) {
  constexpr std::string_view k_allowed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
  return !name.empty() && name.size() <= 128 && name.find_first_not_of(k_allowed) == std::string_view::npos;
}

Credential parse_answer(const std::string& name, const std::string& answer) {
  try {
    const json::Document document = json::Document::parse(answer);
    const std::string user = document.root().at("Username").string();
    const std::string secret = document.root().at("Secret").string();
    if (user == "<token>") return {{}, {}, secret};
    return {user, secret, {}};
  } catch (const diag::FormatError&) {
    fail(name, "answers with something that is not a credential");
  }
}

}  // namespace

std::optional<Credential> ask_helper(const std::string& name, const std::string& server,
                                     const std::stop_token& stop, std::chrono::milliseconds limit) {
  if (!is_program_name(name)) {
    throw diag::CredentialsError(
        fmt::format("\"{}\" is not the name of a credential helper", text::escape(name)));
  }
  if (server.size() > k_max_server) fail(name, "is asked about a name that is too long");
  const Deadline deadline = std::chrono::steady_clock::now() + limit;
  Pipe in = make_pipe(name);
  Pipe out = make_pipe(name);
  in.write_end.write_all(io::bytes_of(server));  // while we hold the reading end: no SIGPIPE
  in.write_end.close();
  Child child(name, SpawnSettings(in, out).spawn(name));
  out.write_end.close();
  const std::string answer = child.read_answer(out.read_end, deadline, stop);
  const int status = child.wait(deadline, stop);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return parse_answer(name, answer);
  if (answer.starts_with("credentials not found")) return std::nullopt;
  fail(name, fmt::format("failed: {}", answer.empty() ? "no reason given" : text::escape(answer)));
}

}  // namespace airgap::registry
