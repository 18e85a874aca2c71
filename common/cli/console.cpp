#include "common/cli/console.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <mutex>
#include <optional>

#include "common/cli/events.hpp"
#include "common/cli/plain_progress.hpp"
#include "common/cli/progress.hpp"
#include "common/cli/progress_view.hpp"
#include "common/cli/screen.hpp"
#include "common/cli/terminal.hpp"
#include "common/cli/ticker.hpp"
#include "common/task/guarded.hpp"
#include "common/text/human_size.hpp"

namespace airgap::cli {
namespace {

using std::chrono::milliseconds;

enum class Display { off, bars, lines, events };

constexpr milliseconds k_redraw{100};
constexpr milliseconds k_line_every{5'000};
constexpr milliseconds k_event_every{1'000};

Display choose_display(const ConsoleOptions& options, bool capable_terminal) {
  if (options.quiet || options.progress == ProgressMode::none) return Display::off;
  if (options.json) return Display::events;
  return capable_terminal && options.progress == ProgressMode::automatic ? Display::bars : Display::lines;
}

bool choose_color(ColorMode mode, const TerminalTraits& traits, bool terminal) {
  if (mode != ColorMode::automatic) return mode == ColorMode::always;
  return terminal && !traits.dumb && !traits.no_color;
}

task::Clock::TimePoint now() {
  return task::system_clock().now();
}

// Observers do not throw; a display that cannot follow is no reason to end a transfer.
template <class Body>
void quietly(Body&& body) noexcept {
  try {
    std::forward<Body>(body)();
  } catch (...) {
  }
}

}  // namespace

struct Console::State {
  ConsoleOptions options;
  Screen screen;
  ViewStyle style;
  Display display = Display::off;
  std::atomic<bool> stdout_reserved = false;
  std::atomic<bool> output_failed = false;
  task::Guarded<ProgressTracker> tracker;
  std::mutex showing;            // held while the display is drawn
  bool paused = false;           // under `showing`
  std::optional<Ticker> ticker;  // of the thread that begins and ends activities; stops before the rest goes

  State(const ConsoleOptions& chosen, int out, int err) : options(chosen), screen(out, err) {
    const TerminalTraits traits = terminal_traits(process_environment);
    const bool terminal = ::isatty(err) == 1;
    style.utf8 = traits.utf8;
    style.color = choose_color(options.color, traits, terminal);
    display = choose_display(options, terminal && !traits.dumb);
  }

  std::string label(std::string_view text, const char* color) const {
    return style.color ? fmt::format("\x1b[{}m{}\x1b[0m", color, text) : std::string(text);
  }
  void line(std::string_view text) { screen.print_err(fmt::format("{}\n", text)); }

  ProgressState look() {
    return tracker.with([](ProgressTracker& progress) { return progress.look(now()); });
  }
  void begin(Console& console, std::string_view what, std::uint64_t total, bool bytes, std::uint64_t blobs);
  void end();
  void show(Console& console);
};

void Console::State::show(Console& console) {
  const std::scoped_lock lock(showing);
  if (paused) return;
  const ProgressState state = look();
  if (display == Display::events) {
    console.event(progress_event(state));
  } else if (display == Display::lines) {
    line(plain_line(state));
  } else {
    ViewStyle here = style;
    const TerminalSize size = terminal_size(screen.err());
    here.columns = size.columns;
    here.rows = size.rows;
    screen.draw(render(state, here));
  }
}

void Console::State::begin(Console& console, std::string_view what, std::uint64_t total, bool bytes,
                           std::uint64_t blobs) {
  console.end_transfers();
  tracker.with([&](ProgressTracker& progress) { progress.begin(what, total, bytes, blobs, now()); });
  if (display == Display::off) return;
  const milliseconds period = display == Display::bars    ? k_redraw
                              : display == Display::lines ? k_line_every
                                                          : k_event_every;
  ticker.emplace(period, [this, &console] { quietly([&] { show(console); }); });
}

void Console::State::end() {
  ticker.reset();
  screen.clear();
  tracker.with([](ProgressTracker& progress) { progress.end(); });
}

Console::Console(const ConsoleOptions& options, int out, int err)
    : m_state(std::make_unique<State>(options, out, err)) {}

Console::~Console() {
  m_state->end();
}

bool Console::json() const {
  return m_state->options.json;
}
void Console::reserve_stdout() {
  m_state->stdout_reserved = true;
}
bool Console::output_failed() const noexcept {
  return m_state->output_failed;
}

void Console::result(std::string_view text) {
  if (json()) return;
  const std::string line = fmt::format("{}\n", text);
  if (m_state->stdout_reserved) {
    m_state->screen.print_err(line);
  } else if (!m_state->screen.print_out(line)) {
    throw diag::StorageError(fmt::format("cannot write to standard output: {}", std::strerror(errno)));
  }
}

void Console::status(std::string_view text) {
  if (m_state->options.quiet) return;
  if (json()) return event(log_event(diag::LogLevel::info, "", text));
  m_state->line(text);
}

void Console::event(std::string_view json_object) {
  if (!json()) return;
  const std::string line = fmt::format("{}\n", json_object);
  if (m_state->stdout_reserved) {
    m_state->screen.print_err(line);
  } else if (!m_state->screen.print_out(line)) {
    m_state->output_failed = true;
  }
}

void Console::failure(std::string_view text, const diag::Error& error, int status) {
  end_transfers();
  event(error_event(error, status));
  if (json() && m_state->stdout_reserved) return;  // stderr carries the events and nothing else
  std::string shown(text);
  if (const std::size_t word = shown.find("error:"); word != shown.npos) {
    shown.replace(word, 6, m_state->label("error:", "1;31"));
  }
  m_state->screen.print_err(shown);
}

void Console::begin_transfers(std::string_view verb, std::uint64_t bytes, std::uint64_t blobs) {
  end_transfers();
  if (blobs > 0) m_state->begin(*this, verb, bytes, true, blobs);
}

void Console::end_transfers() {
  const bool active = m_state->tracker.with([](ProgressTracker& progress) { return progress.active(); });
  if (!active) return;
  const ProgressState state = m_state->look();
  m_state->end();
  if (m_state->display == Display::off) return;
  if (m_state->display == Display::events) return event(progress_event(state));
  if (state.blobs_total > 0 || (m_state->display == Display::lines && state.elapsed >= k_line_every)) {
    m_state->line(final_line(state));
  }
}

void Console::pause() {
  const std::scoped_lock lock(m_state->showing);
  m_state->paused = true;
  m_state->screen.clear();
  m_state->tracker.with([](ProgressTracker& progress) { progress.pause(now()); });
}

void Console::resume() noexcept {
  quietly([&] {
    const std::scoped_lock lock(m_state->showing);
    m_state->paused = false;
    m_state->tracker.with([](ProgressTracker& progress) { progress.resume(now()); });
  });
}

void Console::begin_count(std::string_view what, std::uint64_t total, bool bytes) {
  m_state->begin(*this, what, total, bytes, 0);
}

void Console::count(std::uint64_t more) {
  m_state->tracker.with([&](ProgressTracker& progress) { progress.count(more); });
}

void Console::end_count() {
  end_transfers();
}

void Console::image_finished(std::string_view name, std::string_view outcome, std::uint64_t bytes,
                             double seconds) {
  if (json()) return event(image_event(name, outcome, bytes, seconds));
  const bool failed = outcome == "failed";
  if (m_state->options.quiet && !failed) return;
  const std::string word = fmt::format("{:<9}", outcome);
  const std::string size = bytes == 0 ? "" : text::human_size(bytes) + ", ";
  m_state->line(
      fmt::format("{} {} ({}{:.1f} s)", failed ? m_state->label(word, "1;31") : word, name, size, seconds));
}

void Console::blob_started(const hash::Digest& digest, std::uint64_t size, std::uint64_t already) {
  quietly([&] {
    m_state->tracker.with(
        [&](ProgressTracker& progress) { progress.blob_started(digest, size, already, now()); });
  });
}

void Console::blob_progress(const hash::Digest& digest, std::uint64_t moved) {
  quietly([&] {
    m_state->tracker.with([&](ProgressTracker& progress) { progress.blob_progress(digest, moved); });
  });
}

void Console::blob_restarted(const hash::Digest& digest, std::uint64_t lost) {
  quietly([&] {
    m_state->tracker.with([&](ProgressTracker& progress) { progress.blob_restarted(digest, lost); });
  });
}

void Console::blob_finished(const hash::Digest& digest, std::uint64_t size, std::string_view outcome) {
  quietly([&] {
    m_state->tracker.with([&](ProgressTracker& progress) { progress.blob_finished(digest, size, outcome); });
    if (json()) event(blob_event(digest, size, outcome));
  });
}

void Console::line(diag::LogLevel level, std::string_view topic, std::string_view text) {
  if (json()) return event(log_event(level, topic, text));
  switch (level) {
    case diag::LogLevel::error:
      return m_state->line(fmt::format("{} {}", m_state->label("error:", "1;31"), text));
    case diag::LogLevel::warning:
      return m_state->line(fmt::format("{} {}", m_state->label("warning:", "33"), text));
    case diag::LogLevel::info:
      return m_state->line(text);
    case diag::LogLevel::debug:
    case diag::LogLevel::trace:
      return m_state->line(fmt::format("{} {}: {}", level_name(level), topic, text));
  }
}

}  // namespace airgap::cli
