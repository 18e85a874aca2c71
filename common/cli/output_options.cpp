#include "common/cli/output_options.hpp"

#include <fmt/format.h>

#include <array>
#include <utility>

#include "common/diag/error.hpp"
#include "common/text/escape.hpp"

namespace airgap::cli {
namespace {

template <class Choice>
Choice choose(const char* option, const std::string& word,
              const std::array<std::pair<const char*, Choice>, 3>& choices) {
  for (const auto& [name, choice] : choices) {
    if (word == name) return choice;
  }
  throw diag::UsageError(fmt::format("{}: expected {}, {} or {}, found '{}'", option, choices[0].first,
                                     choices[1].first, choices[2].first, text::escape(word)));
}

}  // namespace

void OutputOptions::declare(Command& command) {
  command.group("Output");
  command.flag("-q,--quiet", console.quiet, "only results, warnings and errors");
  command.flag("-v,--verbose", console.verbose, "more about what is done");
  command.flag("--json", console.json, "one JSON event a line on standard output");
  command.option("--report", report_file, "FILE", "write what was done as JSON, whatever the outcome");
  command.option("--color", m_color, "WHEN", "auto, always or never");
  command.option("--progress", m_progress, "HOW", "auto (in place on a terminal), plain or none");
}

void OutputOptions::finish() {
  console.color = choose<ColorMode>(
      "--color", m_color,
      {{{"auto", ColorMode::automatic}, {"always", ColorMode::always}, {"never", ColorMode::never}}});
  console.progress = choose<ProgressMode>(
      "--progress", m_progress,
      {{{"auto", ProgressMode::automatic}, {"plain", ProgressMode::plain}, {"none", ProgressMode::none}}});
  if (console.quiet && console.verbose) throw diag::UsageError("--quiet and --verbose exclude each other");
}

std::string OutputOptions::log_levels(const std::string& environment) const {
  const std::string level = console.quiet ? "warning" : console.verbose ? "debug" : "info";
  return environment.empty() ? level : level + "," + environment;
}

}  // namespace airgap::cli
