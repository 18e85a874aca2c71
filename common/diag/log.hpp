#pragma once

#include <string>
#include <string_view>

namespace airgap::diag {

/// Severity of a line for the operator. `debug` and `trace` appear only when asked for by topic
/// (AIRGAP_LOG=http:trace,plan:debug) or by --verbose.
enum class LogLevel { trace, debug, info, warning, error };

/// Where lines go; the CLI installs one that cooperates with the progress view. Called from any thread.
class LogSink {
 public:
  virtual ~LogSink() = default;
  virtual void line(LogLevel level, std::string_view topic, std::string_view text) = 0;
};

/// Installs `sink` (borrowed, must outlive all logging; nullptr restores plain stderr) and the levels,
/// written as in AIRGAP_LOG. Not thread-safe: call it before workers start. Throws UsageError.
void configure_log(LogSink* sink, std::string_view levels);

bool log_enabled(std::string_view topic, LogLevel level) noexcept;
/// Writes one line. `text` must already be safe to print: foreign text goes through text::escape.
void log(std::string_view topic, LogLevel level, std::string_view text);

}  // namespace airgap::diag
