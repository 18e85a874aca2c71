#include "bundle-format/archive/archive_place.hpp"

#include <fmt/format.h>

#include <algorithm>
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
#include "common/io/file_lock.hpp"

namespace airgap::bundle {
namespace {

std::string parent_of(const std::string& path) {
  const std::string parent = std::filesystem::path(path).parent_path().string();
  return parent.empty() ? "." : parent;
}

const std::optional<BundleInfo> k_no_info;

class ArchivePlace final : public BundlePlace {
 public:
  ArchivePlace(const std::string& path, bool overwrite) : m_where(path) {
    std::shared_ptr<const io::File> partial;
    if (auto file = m_where.directory.find_file(m_where.partial()))
      partial = std::make_shared<const io::File>(std::move(*file));
    m_there = archives_there(m_where, std::move(partial), overwrite);
  }

  const std::optional<BundleInfo>& existing() const override { return m_there.info(); }
  bool finished() const override { return m_there.finished.state.has_value(); }
  std::optional<std::string> existing_manifest(const hash::Digest& digest) const override {
    return m_there.manifest(digest);
  }
  std::uint64_t occupied_bytes(const Contents&, std::uint64_t length) const override {
    return m_there.occupied_bytes(length);
  }
  bool has_blob(const Blob& blob) const override { return m_there.state_of(blob).whole; }
  std::uint64_t partial_bytes(const Blob& blob) const override { return m_there.state_of(blob).bytes; }
  const BundleInfo* begun() const override { return m_there.replacement(); }
  std::optional<LeftFiles> left_beside() const override {
    if (io::is_locked(m_where.directory.path_of(m_where.partial()))) return std::nullopt;
    return m_where.unfinished();
  }

 private:
  ArchiveName m_where;
  ArchivesThere m_there;
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

std::optional<LeftFiles> ArchiveName::unfinished() const {
  LeftFiles left;
  for (const std::string& file : {partial(), journal()}) {
    const auto entry = directory.stat(file);
    if (entry && entry->size > 0) left.add(directory.path_of(file), entry->size);
  }
  if (left.files == 0) return std::nullopt;
  return left;
}

BlobState EarlierArchive::state_of(const Blob& blob) const {
  if (!state) return {};
  const auto found = state->plan.index.find(blob.digest);
  if (found == state->plan.index.end() || state->plan.blobs[found->second].size != blob.size) return {};
  return state->blobs[found->second];
}

std::optional<std::string> EarlierArchive::manifest(const hash::Digest& digest) const {
  if (!state) return std::nullopt;
  return archived_manifest(*plain_tar(file), state->plan, digest);
}

const std::optional<BundleInfo>& ArchivesThere::info() const {
  if (finished.state) return finished.state->info;
  return begun.state ? begun.state->info : k_no_info;
}

const BundleInfo* ArchivesThere::replacement() const {
  return finished.state && begun.state && begun.state->info ? &*begun.state->info : nullptr;
}

std::uint64_t ArchivesThere::occupied_bytes(std::uint64_t length) const {
  return begun.file ? begun.file->occupied(length) : 0;
}

BlobState ArchivesThere::state_of(const Blob& blob) const {
  const BlobState one = finished.state_of(blob);
  const BlobState other = begun.state_of(blob);
  return {.whole = one.whole || other.whole, .bytes = std::max(one.bytes, other.bytes)};
}

std::optional<std::string> ArchivesThere::manifest(const hash::Digest& digest) const {
  auto bytes = finished.manifest(digest);
  return bytes ? std::move(bytes) : begun.manifest(digest);
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

EarlierArchive finished_archive(const ArchiveName& where) {
  auto file = std::make_shared<const io::File>(where.directory.open_file(where.name));
  auto state = read_archive_state(file);
  if (!state || state->plan.layout.end != file->size()) return {};
  return {.file = std::move(file), .state = std::move(state)};
}

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

/// True also where there is none.
bool has_own_journal(const ArchiveName& where) {
  const auto file = where.directory.find_file(where.journal());
  return !file || is_journal(*file);
}

}  // namespace

void refuse_foreign_file(const io::Directory& directory, const std::string& name) {
  throw diag::UsageError(
      fmt::format("{} is there already and is no unfinished bundle", directory.path_of(name)),
      "move it away, choose another name, or --overwrite");
}

ArchivesThere archives_there(const ArchiveName& where, std::shared_ptr<const io::File> partial,
                             bool overwrite) {
  ArchivesThere there;
  if (where.directory.stat(where.name)) {
    there.finished = finished_archive(where);
    if (!overwrite && !there.finished.state) {
      throw diag::UsageError(
          fmt::format("{} is there already, and is not a whole bundle", where.directory.path_of(where.name)),
          "see what 'verify' says about it; choose another name, or --overwrite");
    }
    if (!overwrite) return there;
  }
  if (!overwrite) {
    if (partial && !is_unfinished_bundle(*partial)) refuse_foreign_file(where.directory, where.partial());
    if (!has_own_journal(where)) refuse_foreign_file(where.directory, where.journal());
  }
  if (!partial) return there;
  there.begun.state = read_archive_state(partial);
  if (!there.begun.state) there.begun.state = broken_off_rearranging(where, partial);
  there.begun.file = std::move(partial);  // also where its head is damaged: its room is taken up again
  return there;
}

std::unique_ptr<BundlePlace> look_at_archive(const std::string& path, bool overwrite) {
  return std::make_unique<ArchivePlace>(path, overwrite);
}

}  // namespace airgap::bundle
