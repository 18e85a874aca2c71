#include "bundle-format/compressed/tars_left.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "common/diag/error.hpp"
#include "common/io/file_lock.hpp"
#include "common/zstd/seek_table.hpp"

namespace airgap::bundle::compressed {
namespace {

class CompressedPlace final : public BundlePlace {
 public:
  CompressedPlace(const std::string& path, bool overwrite, const std::stop_token& stop)
      : m_where(path), m_left(m_where, find_partial(), overwrite, stop) {}

  const std::optional<BundleInfo>& existing() const override { return m_left.info(); }
  bool finished() const override { return m_left.finished.plan.has_value(); }
  std::optional<std::string> existing_manifest(const hash::Digest& digest) const override {
    return m_left.manifest(digest);
  }
  bool has_blob(const Blob& blob) const override { return m_left.has(blob); }
  std::uint64_t partial_bytes(const Blob& blob) const override { return m_left.partial_bytes(blob); }
  std::uint64_t doubled_bytes(const Contents& wanted) const override { return m_left.doubled_bytes(wanted); }
  const BundleInfo* begun() const override { return m_left.replacement(); }
  std::uint64_t occupied_bytes(const Contents& wanted, std::uint64_t) const override {
    return m_left.occupied_bytes(wanted);
  }
  std::optional<LeftFiles> left_beside() const override {
    if (io::is_locked(m_where.directory.path_of(m_where.partial()))) return std::nullopt;
    return unfinished_tars(m_where);
  }

 private:
  std::shared_ptr<const io::File> find_partial() const {
    auto file = m_where.directory.find_file(m_where.partial());
    return file ? std::make_shared<const io::File>(std::move(*file)) : nullptr;
  }

  ArchiveName m_where;
  TarsLeft m_left;
};

}  // namespace

TarsLeft::TarsLeft(const ArchiveName& where, const std::shared_ptr<const io::File>& partial, bool overwrite,
                   const std::stop_token& stop)
    : replaced(where) {
  if (where.directory.stat(where.name)) {
    finished = finished_tar(where.directory, where.name);
    if (!overwrite && !finished.plan)
      throw diag::UsageError(
          fmt::format("{} is there already, and is not a whole bundle", where.directory.path_of(where.name)),
          "see what 'verify' says about it; choose another name, or --overwrite");
    if (!overwrite) return;
  }
  if (partial && !overwrite && !is_unfinished_tar(partial))
    refuse_foreign_file(where.directory, where.partial());
  if (partial) begun = unfinished_tar(partial, stop);
  replaced.read(stop);
}

const std::optional<BundleInfo>& TarsLeft::info() const {
  if (finished.plan) return finished.info;
  const EarlierTar* latest = begun.info ? nullptr : replaced.latest();
  return latest != nullptr ? latest->info : begun.info;
}

const BundleInfo* TarsLeft::replacement() const {
  return finished.plan && begun.info ? &*begun.info : nullptr;
}

bool TarsLeft::has(const Blob& blob) const {
  if (finished.has(blob) || begun.has(blob)) return true;
  const EarlierTar* other = replaced.best_for(blob);
  return other != nullptr && other->has(blob);
}

std::uint64_t TarsLeft::partial_bytes(const Blob& blob) const {
  const EarlierTar* other = replaced.best_for(blob);
  return std::max(begun.partial_bytes(blob), other != nullptr ? other->partial_bytes(blob) : 0);
}

std::optional<std::string> TarsLeft::manifest(const hash::Digest& digest) const {
  for (const EarlierTar* tar : {&finished, &begun}) {
    if (auto bytes = tar->manifest(digest)) return bytes;
  }
  return replaced.manifest(digest);
}

bool TarsLeft::goes_on_as(const ArchivePlan& plan) const {
  return begun.plan && begun.plan->metadata == plan.metadata;
}

// What is copied stays in both files until the new one is whole.
std::uint64_t TarsLeft::doubled_bytes(const Contents& wanted) const {
  const bool goes_on = goes_on_as(ArchivePlan(metadata_files(wanted), wanted.info));
  std::map<const EarlierTar*, std::vector<Blob>> copied;
  for (const Blob& blob : wanted.info.blobs) {
    if (finished.has(blob) || (goes_on && begun.has(blob))) continue;
    const std::uint64_t here = begun.bytes_of(blob);
    const EarlierTar* other = replaced.best_for(blob);
    const bool from_other = other != nullptr && other->bytes_of(blob) > here;
    if (from_other || !goes_on) copied[from_other ? other : &begun].push_back(blob);
  }
  std::uint64_t bytes = 0;
  for (const auto& [tar, blobs] : copied) bytes += tar->stored_bytes_of(blobs);
  return bytes;
}

// One of other contents is written anew, not gone on with.
std::uint64_t TarsLeft::occupied_bytes(const Contents& wanted) const {
  return begun.info == wanted.info ? zstd::FrameTable(begun.there.frames).stored_size() : 0;
}

std::unique_ptr<io::Source> TarsLeft::open(const Blob& blob, std::uint64_t offset) const {
  for (const EarlierTar* tar : {&finished, &begun}) {
    if (auto bytes = tar->open(blob, offset)) return bytes;
  }
  const EarlierTar* other = replaced.best_for(blob);
  return other != nullptr ? other->open(blob, offset) : nullptr;
}

Front TarsLeft::front_of(const Blob& blob) const {
  const EarlierTar* other = replaced.best_for(blob);
  if (other == nullptr || other->bytes_of(blob) == 0) return {};
  return {.bytes = other->bytes_of(blob),
          .open = [other, blob](std::uint64_t offset) { return other->open_front(blob, offset); }};
}

std::unique_ptr<BundlePlace> look_at_compressed(const std::string& path, bool overwrite,
                                                const std::stop_token& stop) {
  return std::make_unique<CompressedPlace>(path, overwrite, stop);
}

}  // namespace airgap::bundle::compressed
