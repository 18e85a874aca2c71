#include "bundle-format/verify.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "bundle-format/blame.hpp"
#include "bundle-format/inspection.hpp"
#include "bundle-format/metadata/layout.hpp"
#include "bundle-format/skopeo_tree/verify_tree.hpp"
#include "bundle-format/tree_at.hpp"
#include "bundle-format/volumes/inspect_volumes.hpp"
#include "common/hash/verifying_source.hpp"
#include "common/task/for_each.hpp"
#include "common/task/guarded.hpp"

namespace airgap::bundle {
namespace {

constexpr std::size_t k_read = std::size_t{512} * 1024;  // bytes at once, for each thread

using Progress = std::function<void(std::uint64_t)>;

/// Reads bytes to their end; what is wrong with them, if anything. `piece` are all or some of its blob.
std::optional<Finding> read_piece(const Piece& piece, const Progress& progress) {
  try {
    const auto bytes = piece.open();
    hash::VerifyingSource verified(*bytes, piece.digest, piece.size);
    std::vector<std::byte> buffer(std::clamp<std::uint64_t>(piece.size + 1, io::k_min_read, k_read));
    while (const std::size_t count = verified.read(buffer)) progress(count);
    return std::nullopt;
  } catch (const diag::Error& error) {
    Finding finding = finding_of(error, piece.file);
    finding.blobs.push_back(piece.blob);
    if (finding.hint.empty()) finding.hint = piece.hint;
    return finding;
  }
}

/// `piece_at` gives what is to be read, by index.
template <class PieceAt>
std::vector<Finding> read_all(std::size_t count, PieceAt&& piece_at, std::size_t jobs, std::stop_token stop,
                              const Progress& progress) {
  task::Guarded<std::vector<Finding>> findings;
  task::for_each_index(count, jobs, stop, [&](std::size_t i) {
    const auto read = [&](std::uint64_t bytes) {
      progress(bytes);
      if (stop.stop_requested()) throw diag::Interrupted();
    };
    if (auto finding = read_piece(piece_at(i), read))
      findings.with([&](auto& list) { list.push_back(std::move(*finding)); });
  });
  return findings.with([](auto& list) { return std::move(list); });
}

/// Reading a blob ends at the first of its pieces that is damaged. Says instead of each piece what is wrong.
std::vector<Finding> piece_by_piece(const Inspection& bundle, std::vector<Finding> unread, std::size_t jobs,
                                    const std::stop_token& stop) {
  if (!bundle.pieces_of) return unread;
  std::vector<Finding> findings;
  for (Finding& finding : unread) {
    const std::vector<Piece> pieces = bundle.pieces_of(finding.blobs.front());
    std::vector<Finding> damaged = read_all(
        pieces.size(), [&](std::size_t i) { return pieces[i]; }, jobs, stop, [](std::uint64_t) {});
    if (damaged.empty()) damaged.push_back(std::move(finding));
    std::ranges::move(damaged, std::back_inserter(findings));
  }
  return findings;
}

}  // namespace

std::vector<Finding> read_blobs(const Inspection& bundle, const std::vector<Blob>& blobs, std::size_t jobs,
                                std::stop_token stop, const Progress& progress) {
  const auto blob_at = [&](std::size_t i) {
    const Blob& blob = blobs[i];
    return Piece{blob.digest, blob.digest,
                 blob.size,   bundle.name_of ? bundle.name_of(blob) : blob_path(blob.digest),
                 {},          [&] { return bundle.blob_bytes(blob, 0); }};
  };
  return read_all(blobs.size(), blob_at, jobs, std::move(stop), progress);
}

namespace {

/// One volume of several is what it is named for; otherwise the whole bundle.
Inspection inspect_to_verify(const std::vector<std::string>& paths) {
  std::error_code error;
  if (paths.size() == 1 && std::filesystem::is_regular_file(paths.front(), error)) {
    const auto volume = look_for_volume(paths.front());
    if (volume && volume->count > 1) return inspect_one_volume(*volume);
  }
  return inspect(paths, Depth::files);
}

}  // namespace

VerifyReport verify_bundle(const std::vector<std::string>& paths, std::size_t jobs,
                           const std::stop_token& stop, const std::function<void(std::uint64_t)>& progress) {
  if (const auto tree = tree_at(paths)) return skopeo_tree::verify_tree(*tree, jobs, stop, progress);
  Inspection bundle = inspect_to_verify(paths);
  VerifyReport report;
  report.info = bundle.info;
  report.part_of = bundle.part_of;
  report.files = bundle.files;
  report.bytes = bundle.metadata_bytes;
  for (const Blob& blob : bundle.readable) report.bytes += blob.stored_size;
  for (const Piece& piece : bundle.loose) report.bytes += piece.size;
  report.findings = std::move(bundle.findings);
  std::vector<Finding> unread =
      piece_by_piece(bundle, read_blobs(bundle, bundle.readable, jobs, stop, progress), jobs, stop);
  std::ranges::move(
      read_all(
          bundle.loose.size(), [&](std::size_t i) { return bundle.loose[i]; }, jobs, stop, progress),
      std::back_inserter(unread));
  report.findings.insert(report.findings.end(), unread.begin(), unread.end());
  if (bundle.info && bundle.part_of.empty()) report.damaged = blame(bundle, unread, report.findings);
  std::stable_sort(report.findings.begin(), report.findings.end(),
                   [](const Finding& a, const Finding& b) { return a.file < b.file; });
  if (!report.findings.empty() && report.part_of.empty())
    report.all_touched = !bundle.info || report.damaged.size() == bundle.info->images.size();
  return report;
}

}  // namespace airgap::bundle
