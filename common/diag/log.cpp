#include "common/diag/log.hpp"

#include <array>
#include <cstdio>
#include <map>
#include <utility>

#include "common/diag/error.hpp"

namespace airgap::diag {
namespace {

struct State {
  LogSink* sink = nullptr;
  LogLevel fallback = LogLevel::info;
  std::map<std::string, LogLevel, std::less<>> topics;
};

State& state() {
  static State instance;
  return instance;
}

constexpr std::array<std::pair<std::string_view, LogLevel>, 5> k_level_names{{{"trace", LogLevel::trace},
                                                                              {"debug", LogLevel::debug},
                                                                              {"info", LogLevel::info},
                                                                              {"warning", LogLevel::warning},
                                                                              {"error", LogLevel::error}}};

LogLevel parse_level(std::string_view word) {
  for (const auto& [name, level] : k_level_names) {
    if (name == word) return level;
  }
  throw UsageError("unknown log level '" + std::string(word) + "'",
                   "use trace, debug, info, warning or error, as in AIRGAP_LOG=http:trace");
}

}  // namespace

void configure_log(LogSink* sink, std::string_view levels) {
  State next;
  next.sink = sink;
  while (!levels.empty()) {
    const std::size_t comma = levels.find(',');
    const std::string_view item = levels.substr(0, comma);
    levels = comma == std::string_view::npos ? std::string_view{} : levels.substr(comma + 1);
    const std::size_t colon = item.find(':');
    if (colon == std::string_view::npos) {
      next.fallback = parse_level(item);
    } else {
      next.topics[std::string(item.substr(0, colon))] = parse_level(item.substr(colon + 1));
    }
  }
  state() = std::move(next);
}

bool log_enabled(std::string_view topic, LogLevel level) noexcept {
  const State& current = state();
  const auto found = current.topics.find(topic);
  return level >= (found == current.topics.end() ? current.fallback : found->second);
}

void log(std::string_view topic, LogLevel level, std::string_view text) {
  if (!log_enabled(topic, level)) return;
  if (LogSink* sink = state().sink) {
    sink->line(level, topic, text);
    return;
  }
  const std::string line = std::string(text) + "\n";
  static_cast<void>(std::fwrite(line.data(), 1, line.size(), stderr));
}

}  // namespace airgap::diag
