#include "bundle-format/archive/relocation_journal.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <span>

#include "common/diag/error.hpp"
#include "common/hash/verifying_source.hpp"
#include "common/io/stream.hpp"

namespace airgap::bundle {
namespace {

constexpr std::string_view k_first_line = "airgap-moving 1\n";
constexpr std::string_view k_last_line = "end\n";
constexpr std::size_t k_numbers = 6;

std::string line_of(const BlobMove& move) {
  return fmt::format("{} {} {} {} {} {} {}\n", move.blob.digest.str(), static_cast<int>(move.blob.kind),
                     move.blob.size, move.from.header, move.from.data, move.to.header, move.to.data);
}

tar::Place place(std::uint64_t header, std::uint64_t data, std::uint64_t size) {
  return {.header = header, .header_size = data - header, .data = data, .size = size};
}

// Throws FormatError for what line_of() did not write.
BlobMove parse_line(std::string_view line) {
  const std::size_t gap = std::min(line.find(' '), line.size());
  const auto digest = hash::Digest::parse(line.substr(0, gap));
  std::array<std::uint64_t, k_numbers> numbers{};
  const char* at = line.data() + gap;
  const char* const end = line.data() + line.size();
  for (std::uint64_t& number : numbers) {
    if (at != end) ++at;
    at = std::from_chars(at, end, number).ptr;
  }
  const auto [kind, size, from_header, from_data, to_header, to_data] = numbers;
  if (kind > static_cast<std::uint64_t>(BlobKind::layer)) throw diag::FormatError("unknown kind of blob");
  const BlobMove move{.blob = {digest, size, static_cast<BlobKind>(kind), size},
                      .from = place(from_header, from_data, size),
                      .to = place(to_header, to_data, size)};
  if (line_of(move) != fmt::format("{}\n", line)) throw diag::FormatError("a line that was not written so");
  return move;
}

bool lies_at(const std::shared_ptr<const io::File>& archive, const Blob& blob, const tar::Place& where) {
  try {
    io::FileRangeSource bytes(archive, where.data, blob.size);
    hash::VerifyingSource verified(bytes, blob.digest, blob.size);
    std::vector<std::byte> buffer(io::k_pump_buffer);
    while (verified.read(buffer) != 0) {
    }
    return true;
  } catch (const hash::DigestMismatch&) {
    return false;
  }
}

}  // namespace

std::string journal_text(const std::vector<BlobMove>& moves) {
  std::string text(k_first_line);
  for (const BlobMove& move : moves) text += line_of(move);
  return text.append(k_last_line);
}

bool is_journal(const io::File& file) {
  std::array<std::byte, k_first_line.size()> bytes{};
  const std::string_view front = io::text_of(std::span(bytes).first(file.read_at(0, bytes)));
  return front.find_first_not_of('\0') == front.npos || k_first_line.starts_with(front);
}

std::vector<BlobMove> parse_journal(std::string_view text) {
  std::vector<BlobMove> moves;
  if (!text.starts_with(k_first_line) || !text.ends_with(k_last_line)) return moves;
  text.remove_prefix(k_first_line.size());
  text.remove_suffix(k_last_line.size());
  try {
    while (!text.empty()) {
      const std::size_t end = std::min(text.find('\n'), text.size() - 1);
      moves.push_back(parse_line(text.substr(0, end)));
      text.remove_prefix(end + 1);
    }
  } catch (const diag::FormatError&) {
    return {};
  }
  return moves;
}

ArchiveState salvage(const std::shared_ptr<const io::File>& archive, const std::vector<BlobMove>& moves) {
  std::vector<Blob> blobs;
  std::vector<tar::Place> places;
  for (const BlobMove& move : moves) {
    const bool moved = lies_at(archive, move.blob, move.to);
    if (!moved && !lies_at(archive, move.blob, move.from)) continue;
    blobs.push_back(move.blob);
    places.push_back(moved ? move.to : move.from);
  }
  std::vector<BlobState> states;
  states.reserve(blobs.size());
  for (const Blob& blob : blobs) states.push_back({.whole = true, .bytes = blob.size});
  return {.info = std::nullopt,
          .plan = ArchivePlan(std::move(blobs), std::move(places)),
          .blobs = std::move(states)};
}

}  // namespace airgap::bundle
