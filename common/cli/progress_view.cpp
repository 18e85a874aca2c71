#include "common/cli/progress_view.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "common/cli/plain_progress.hpp"
#include "common/text/human_size.hpp"

namespace airgap::cli {
namespace {

constexpr std::size_t k_least_bar = 10;  // columns, brackets included
constexpr std::size_t k_most_bar = 42;
constexpr std::size_t k_margin = 3;  // the terminal's echo of ^C must not wrap

// A part of a line. The least rank stays longest when columns are few.
struct Field {
  std::string text;
  int rank = 0;
  bool bar = false;  // takes the columns that are left
  bool kept = false;

  std::size_t least() const { return bar ? k_least_bar : text.size(); }
};

struct Part {
  std::uint64_t done;
  std::uint64_t total;
};

std::string repeated(std::string_view piece, std::size_t count) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i) text += piece;
  return text;
}

std::string bar(const Part& part, std::size_t columns, const ViewStyle& style) {
  const std::size_t cells = columns - 2;
  const double share =
      part.total == 0 ? 0.0 : std::min(1.0, static_cast<double>(part.done) / static_cast<double>(part.total));
  const auto full = static_cast<std::size_t>(share * static_cast<double>(cells));
  std::string filled = repeated(style.utf8 ? "█" : "#", full);
  if (style.color && full > 0) filled = "\x1b[36m" + filled + "\x1b[0m";
  return "[" + filled + repeated(style.utf8 ? "░" : "-", cells - full) + "]";
}

// Keeps fields in order of rank while they fit; the bar gets what is left.
DrawnLine lay_out(std::vector<Field> fields, const Part& part, const ViewStyle& style) {
  const std::size_t columns = style.columns > k_margin ? style.columns - k_margin : 1;
  const std::size_t gap = columns >= 70 ? 2 : 1;
  std::vector<Field*> by_rank;
  by_rank.reserve(fields.size());
  for (Field& field : fields) by_rank.push_back(&field);
  std::stable_sort(by_rank.begin(), by_rank.end(),
                   [](const Field* a, const Field* b) { return a->rank < b->rank; });
  std::size_t used = 0;
  for (Field* field : by_rank) {
    const std::size_t more = field->least() + (used == 0 ? 0 : gap);
    if (field->text.empty() && !field->bar) continue;
    if (used > 0 && used + more > columns) continue;
    field->kept = true;
    used += more;
  }
  DrawnLine line;
  for (const Field& field : fields) {
    if (!field.kept) continue;
    if (line.columns > 0) line.text += std::string(gap, ' ');
    line.columns += line.columns > 0 ? gap : 0;
    const std::size_t bar_columns = std::min(k_least_bar + (columns - std::min(used, columns)), k_most_bar);
    line.text += field.bar ? bar(part, bar_columns, style) : field.text;
    line.columns += field.bar ? bar_columns : field.text.size();
  }
  if (line.columns > columns) line = {line.text.substr(0, columns), columns};  // one field without colours
  return line;
}

std::string rate_text(double rate) {
  return rate < 1 ? std::string{} : text::human_size(static_cast<std::uint64_t>(rate)) + "/s";
}

DrawnLine transfer_line(const TransferState& transfer, const ViewStyle& style) {
  const std::string share = fmt::format("{:>3}%", percent(transfer.done, transfer.size));
  const std::string sizes =
      fmt::format("{:>8} of {:>8}", text::human_size(transfer.done), text::human_size(transfer.size));
  return lay_out({{"  " + transfer.name, 0},
                  {share, 1},
                  {"", 2, true},
                  {sizes, 4},
                  {fmt::format("{:>10}", rate_text(transfer.rate)), 3}},
                 {transfer.done, transfer.size}, style);
}

DrawnLine total_line(const ProgressState& state, const ViewStyle& style) {
  std::string sizes = fmt::format("{:>8}", amount_text(state, state.done));
  if (state.total > 0) sizes += " of " + amount_text(state, state.total);
  if (state.total == 0) return lay_out({{state.what, 0}, {sizes, 1}}, {0, 0}, style);
  return lay_out(
      {{state.what, 0},
       {fmt::format("{:>3}%", percent(state.done, state.total)), 1},
       {"", 3, true},
       {sizes, 5},
       {state.bytes ? fmt::format("{:>10}", rate_text(state.rate)) : "", 4},
       {(state.left ? duration_text(*state.left) : "--:--") + " left", 2},
       {state.blobs_total > 0 ? fmt::format("{}/{} blobs", state.blobs_done, state.blobs_total) : "", 6}},
      {state.done, state.total}, style);
}

}  // namespace

std::vector<DrawnLine> render(const ProgressState& state, const ViewStyle& style) {
  std::vector<DrawnLine> lines;
  const std::size_t room =
      style.rows > 3 ? style.rows - 3 : 0;  // beside the total, and one for the "more" line
  const std::size_t shown = std::min({state.running.size(), k_most_transfer_lines, room});
  for (std::size_t i = 0; i < shown; ++i) lines.push_back(transfer_line(state.running[i], style));
  if (shown > 0 && shown < state.running.size()) {
    lines.push_back(
        lay_out({{fmt::format("  and {} more", state.running.size() - shown), 0}}, {0, 0}, style));
  }
  lines.push_back(total_line(state, style));
  return lines;
}

}  // namespace airgap::cli
