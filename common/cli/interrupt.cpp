#include "common/cli/interrupt.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <ctime>

#include "common/diag/error.hpp"

namespace airgap::cli {
namespace {

constexpr std::array k_signals{SIGINT, SIGTERM, SIGHUP};
// A terminal's end or a wrapper (timeout, ssh) may deliver one wish twice; only a later one is a second.
constexpr long k_same_wish_ms = 100;

std::atomic<int> g_signal = 0;
std::atomic<long> g_when_ms = 0;
std::atomic<int> g_wake = -1;  // write end of the pipe that the waiter reads
static_assert(std::atomic<int>::is_always_lock_free && std::atomic<long>::is_always_lock_free);

long now_ms() noexcept {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<long>(now.tv_sec) * 1000 + now.tv_nsec / 1'000'000;
}

void wake(char byte) noexcept {
  while (::write(g_wake, &byte, 1) < 0 && errno == EINTR) {
  }
}

extern "C" void airgap_on_signal(int number) {
  const int saved_errno = errno;
  int none = 0;
  if (g_signal.compare_exchange_strong(none, number)) {
    g_when_ms = now_ms();
    wake('s');
  } else if (now_ms() - g_when_ms > k_same_wish_ms) {
    static_cast<void>(!::write(STDERR_FILENO, "\n", 1));  // a progress bar may stand where the prompt comes
    ::_exit(128 + number);
  }
  errno = saved_errno;
}

bool is_ignored(int number) {
  struct sigaction current {};
  ::sigaction(number, nullptr, &current);
  return (current.sa_flags & SA_SIGINFO) == 0 && current.sa_handler == SIG_IGN;
}

void install(void (*handler)(int)) {
  struct sigaction action {};
  action.sa_handler = handler;
  action.sa_flags = SA_RESTART;
  ::sigemptyset(&action.sa_mask);
  for (const int number : k_signals) {
    if (!is_ignored(number)) ::sigaction(number, &action, nullptr);
  }
}

// Reads bytes until the destructor's; runs on a thread of its own.
void wait_for_signal(int pipe, std::stop_source stop) {  // NOLINT(performance-unnecessary-value-param)
  char byte = 0;
  while (byte != 'q') {
    const ssize_t count = ::read(pipe, &byte, 1);
    if (count == 0 || (count < 0 && errno != EINTR)) break;
    if (count == 1 && byte == 's') stop.request_stop();
  }
  ::close(pipe);
}

}  // namespace

Interrupt::Interrupt() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw diag::StorageError("cannot make a pipe for signals");
  g_signal = 0;
  g_wake = ends[1];
  m_waiter = std::thread(wait_for_signal, ends[0], m_stop);
  install(airgap_on_signal);
}

Interrupt::~Interrupt() {
  install(SIG_DFL);
  wake('q');
  m_waiter.join();
  ::close(g_wake.exchange(-1));
}

int received_signal() noexcept {
  return g_signal;
}

int exit_status(diag::ErrorKind kind) noexcept {
  if (kind == diag::ErrorKind::interrupted && received_signal() != 0) return 128 + received_signal();
  return diag::exit_code(kind);
}

}  // namespace airgap::cli
