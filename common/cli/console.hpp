#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "common/diag/error.hpp"
#include "common/diag/log.hpp"
#include "common/transport/observer.hpp"

namespace airgap::cli {

enum class ProgressMode { automatic, plain, none };
enum class ColorMode { automatic, always, never };

struct ConsoleOptions {
  bool quiet = false;    ///< only results, warnings and errors
  bool verbose = false;  ///< debug lines too
  bool json = false;     ///< one JSON event a line on stdout instead of text
  ProgressMode progress = ProgressMode::automatic;
  ColorMode color = ColorMode::automatic;
};

/// Everything said to the operator. Results (a list, a plan) go to stdout; status, progress, warnings and
/// errors to stderr, so that stdout may be the bundle itself. On a terminal a bar in bytes with rate and time
/// left and a line for each running transfer, redrawn in place, never backwards; elsewhere a line every few
/// seconds. Thread-safe.
class Console : public transport::Observer, public diag::LogSink {
 public:
  /// The descriptors are borrowed.
  explicit Console(const ConsoleOptions& options, int out = 1, int err = 2);
  ~Console() override;

  bool json() const;
  /// stdout carries a bundle (`--output -`): results go to stderr from now on, and events nowhere else than
  /// there.
  void reserve_stdout();

  /// A line of what was asked for; not shown with --json. Throws StorageError when it cannot be written.
  void result(std::string_view text);
  void status(std::string_view text);  ///< a line about what is being done; not with --quiet
  /// One JSON object for --json, as text: {"event":"…",…}; ignored without --json. Work does not stop when it
  /// cannot be written (R134); output_failed() tells.
  void event(std::string_view json_object);
  bool output_failed() const noexcept;
  /// What ended the run: `text` (failure.hpp) on stderr, and an event. Ends a display that still runs.
  void failure(std::string_view text, const diag::Error& error, int status);

  /// The transfers begin: `blobs` blobs of `bytes` in all, those bytes included that an earlier run left;
  /// `verb` is "fetching" or "pushing". One display at a time: a second begin ends the first.
  void begin_transfers(std::string_view verb, std::uint64_t bytes, std::uint64_t blobs);
  void end_transfers();
  /// The operator is asked, and types: nothing is drawn and no time counts until resume().
  void pause();
  void resume() noexcept;
  /// Plain counters for work that is not transfers: "resolving images: 12 of 40 (30%)". `total` 0 is unknown.
  void begin_count(std::string_view what, std::uint64_t total, bool bytes);
  void count(std::uint64_t more);
  void end_count();
  /// An image is done: a line with its outcome ("fetched", "unchanged", "pushed", "failed"), size and time,
  /// and an event.
  void image_finished(std::string_view name, std::string_view outcome, std::uint64_t bytes, double seconds);

  // transport::Observer. An outcome "failed" takes a blob that was given up out of the display.
  void blob_started(const hash::Digest& digest, std::uint64_t size, std::uint64_t already) override;
  void blob_progress(const hash::Digest& digest, std::uint64_t moved) override;
  void blob_restarted(const hash::Digest& digest, std::uint64_t lost) override;
  void blob_finished(const hash::Digest& digest, std::uint64_t size, std::string_view outcome) override;
  // diag::LogSink
  void line(diag::LogLevel level, std::string_view topic, std::string_view text) override;

 private:
  struct State;
  std::unique_ptr<State> m_state;
};

}  // namespace airgap::cli
