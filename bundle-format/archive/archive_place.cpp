#include "bundle-format/archive/archive_place.hpp"

#include <fmt/format.h>

#include <array>
#include <filesystem>
#include <utility>

#include "bundle-format/archive/relocation_journal.hpp"
#include "bundle-format/earlier_bundle.hpp"
#include "bundle-format/metadata/layout.hpp"
#include "bundle-format/metadata/limits.hpp"
#include "common/diag/error.hpp"
#include "common/diag/log.hpp"
#include "common/image/manifest.hpp"

namespace airgap::bundle {
namespace {

std::string parent_of(const std::string& path) {
  const std::string parent = std::filesystem::path(path).parent_path().string();
  return parent.empty() ? "." : parent;
}

class ArchivePlace final : public BundlePlace {
 public:
  ArchivePlace(const std::string& path, bool overwrite) : m_where(path) {
    std::shared_ptr<const io::File> partial;
    if (auto file = m_where.directory.find_file(m_where.partial()))
      partial = std::make_shared<const io::File>(std::move(*file));
    m_earlier = earlier_archive(m_where, std::move(partial), overwrite);
    if (m_earlier.state) m_info = m_earlier.state->info;
  }

  const std::optional<BundleInfo>& existing() const override { return m_info; }
  bool finished() const override { return m_earlier.finished; }
  std::optional<std::string> existing_manifest(const hash::Digest& digest) const override {
    return m_earlier.manifest(digest);
  }
  bool has_blob(const Blob& blob) const override {
    const BlobState* state = m_earlier.state_of(blob);
    return state != nullptr && state->whole;
  }
  std::uint64_t partial_bytes(const Blob& blob) const override {
    const BlobState* state = m_earlier.state_of(blob);
    return state != nullptr ? state->bytes : 0;
  }
  std::uint64_t occupied_bytes(std::uint64_t length) const override {
    return m_earlier.finished || !m_earlier.file ? 0 : m_earlier.file->occupied(length);
  }

 private:
  ArchiveName m_where;
  EarlierArchive m_earlier;
  std::optional<BundleInfo> m_info;
};

}  // namespace

ArchiveName::ArchiveName(const std::string& path)
    : directory(io::Directory::open(parent_of(path))),
      name(std::filesystem::path(path).filename().string()) {}

std::string ArchiveName::partial() const {
  return name + std::string(k_partial_ending);
}

std::string ArchiveName::journal() const {
  return partial() + ".moving";
}

const BlobState* EarlierArchive::state_of(const Blob& blob) const {
  if (!state) return nullptr;
  const auto found = state->plan.index.find(blob.digest);
  if (found == state->plan.index.end() || state->plan.blobs[found->second].size != blob.size) return nullptr;
  return &state->blobs[found->second];
}

std::optional<std::string> EarlierArchive::manifest(const hash::Digest& digest) const {
  if (!state) return std::nullopt;
  return archived_manifest(*plain_tar(file), state->plan, digest);
}

bool is_unfinished_bundle(const io::File& partial) {
  constexpr std::string_view k_first = k_oci_layout_file;
  std::array<std::byte, tar::k_block> block{};
  const std::size_t count = partial.read_at(0, block);
  const std::string_view text = io::text_of(std::span(block).first(count));
  return text.find_first_not_of('\0') == text.npos ||
         (text.starts_with(k_first) && text.size() > k_first.size() && text[k_first.size()] == '\0') ||
         text.starts_with(k_partial_marker);
}

namespace {

std::optional<ArchiveState> broken_off_rearranging(const ArchiveName& where,
                                                   const std::shared_ptr<const io::File>& partial) {
  if (!where.directory.stat(where.journal())) return std::nullopt;
  const auto moves = parse_journal(where.directory.read_file(where.journal(), k_max_journal));
  if (moves.empty()) return std::nullopt;
  diag::log("bundle", diag::LogLevel::info,
            fmt::format("{} was broken off while it was rearranged: reading what is there",
                        where.directory.path_of(where.partial())));
  return salvage(partial, moves);
}

}  // namespace

EarlierArchive earlier_archive(const ArchiveName& where, std::shared_ptr<const io::File> partial,
                               bool overwrite) {
  std::optional<ArchiveState> left;
  if (partial) left = read_archive_state(partial);
  if (partial && !left) left = broken_off_rearranging(where, partial);
  if (partial && !left && !overwrite && !is_unfinished_bundle(*partial)) {
    throw diag::UsageError(fmt::format("{} is there already and is no unfinished bundle",
                                       where.directory.path_of(where.partial())),
                           "move it away, choose another name, or --overwrite");
  }
  const bool goes_on = left && overwrite;
  if (!where.directory.stat(where.name) || goes_on) {
    if (!left) return {};
    return {.file = std::move(partial), .state = std::move(left), .finished = false};
  }
  auto file = std::make_shared<const io::File>(where.directory.open_file(where.name));
  auto state = read_archive_state(file);
  if (state && state->plan.layout.end == file->size()) {
    return {.file = std::move(file), .state = std::move(state), .finished = true};
  }
  if (overwrite) return {};
  throw diag::UsageError(
      fmt::format("{} is there already, and is not a whole bundle", where.directory.path_of(where.name)),
      "see what 'verify' says about it; choose another name, or --overwrite");
}

std::unique_ptr<BundlePlace> look_at_archive(const std::string& path, bool overwrite) {
  return std::make_unique<ArchivePlace>(path, overwrite);
}

}  // namespace airgap::bundle
