#include "common/cli/plain_progress.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "common/text/human_size.hpp"

namespace airgap::cli {
namespace {

std::string how_far(const ProgressState& state) {
  std::string text = amount_text(state, state.done);
  if (state.total > 0) {
    text += fmt::format(" of {} ({}%)", amount_text(state, state.total), percent(state.done, state.total));
  }
  return text;
}

// "fetching" -> "fetched", "verifying" -> "verified"; other words stay.
std::string when_done(std::string_view what) {
  constexpr std::string_view k_ending = "ing";
  if (what.find(' ') != what.npos || !what.ends_with(k_ending)) return std::string(what);
  what.remove_suffix(k_ending.size());
  if (!what.ends_with('y')) return fmt::format("{}ed", what);
  return fmt::format("{}ied", what.substr(0, what.size() - 1));
}

std::string rate_text(double rate) {
  return text::human_size(static_cast<std::uint64_t>(rate)) + "/s";
}

}  // namespace

std::string amount_text(const ProgressState& state, std::uint64_t amount) {
  return state.bytes ? text::human_size(amount) : fmt::format("{}", amount);
}

std::string duration_text(std::chrono::seconds duration) {
  const auto seconds = duration.count();
  if (seconds < 3600) return fmt::format("{:02}:{:02}", seconds / 60, seconds % 60);
  return fmt::format("{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
}

unsigned percent(std::uint64_t done, std::uint64_t total) {
  if (done >= total) return 100;
  return std::min(99U, static_cast<unsigned>(static_cast<double>(done) * 100 / static_cast<double>(total)));
}

std::string plain_line(const ProgressState& state) {
  std::string line = fmt::format("{}: {}", state.what, how_far(state));
  if (state.bytes && state.rate >= 1) line += ", " + rate_text(state.rate);
  if (state.left) line += fmt::format(", {} left", duration_text(*state.left));
  if (state.blobs_total > 0) line += fmt::format(", {} of {} blobs", state.blobs_done, state.blobs_total);
  return line;
}

std::string final_line(const ProgressState& state) {
  const bool complete = state.done >= state.total && state.blobs_done >= state.blobs_total;
  std::string line = complete ? fmt::format("{}: {}", when_done(state.what), amount_text(state, state.done))
                              : fmt::format("{}: {}", state.what, how_far(state));
  if (state.blobs_total > 0) {
    line += complete ? " in " + text::counted(state.blobs_done, "blob")
                     : fmt::format(", {} of {} blobs", state.blobs_done, state.blobs_total);
  }
  if (state.already > 0)
    line += fmt::format(", {} of it by an earlier run", amount_text(state, state.already));
  if (state.blobs_mounted > 0) line += fmt::format(", {} of them mounted", state.blobs_mounted);
  line += ", " + duration_text(std::chrono::duration_cast<std::chrono::seconds>(state.elapsed));
  return complete ? line : line + ", not finished";
}

}  // namespace airgap::cli
