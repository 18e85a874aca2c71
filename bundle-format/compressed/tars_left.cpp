#include "bundle-format/compressed/tars_left.hpp"

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

namespace airgap::bundle::compressed {
namespace {

class CompressedPlace final : public BundlePlace {
 public:
  CompressedPlace(const std::string& path, bool overwrite, const std::stop_token& stop)
      : m_where(path), m_left(m_where, find_partial(), overwrite, stop) {}

  const std::optional<BundleInfo>& existing() const override { return m_left.info; }
  bool finished() const override { return m_left.current.finished; }
  std::optional<std::string> existing_manifest(const hash::Digest& digest) const override {
    return m_left.manifest(digest);
  }
  bool has_blob(const Blob& blob) const override { return m_left.has(blob); }
  std::uint64_t partial_bytes(const Blob& blob) const override { return m_left.partial_bytes(blob); }
  std::uint64_t doubled_bytes(const Contents& wanted) const override { return m_left.doubled_bytes(wanted); }

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
    : current(earlier_tar(where, partial, overwrite, stop)), replaced(where, stop), info(current.info) {
  if (!info && replaced.latest() != nullptr) info = replaced.latest()->info;
}

bool TarsLeft::has(const Blob& blob) const {
  if (current.has(blob)) return true;
  const EarlierTar* other = replaced.best_for(blob);
  return other != nullptr && other->has(blob);
}

std::uint64_t TarsLeft::partial_bytes(const Blob& blob) const {
  const EarlierTar* other = replaced.best_for(blob);
  return std::max(current.partial_bytes(blob), other != nullptr ? other->partial_bytes(blob) : 0);
}

std::optional<std::string> TarsLeft::manifest(const hash::Digest& digest) const {
  if (auto bytes = current.manifest(digest)) return bytes;
  return replaced.manifest(digest);
}

bool TarsLeft::goes_on_as(const ArchivePlan& plan) const {
  return !current.finished && current.plan && current.plan->metadata == plan.metadata;
}

// What is copied stays in both files until the new one is whole.
std::uint64_t TarsLeft::doubled_bytes(const Contents& wanted) const {
  if (current.finished) return 0;
  const bool goes_on = goes_on_as(ArchivePlan(metadata_files(wanted), wanted.info));
  std::map<const EarlierTar*, std::vector<Blob>> copied;
  for (const Blob& blob : wanted.info.blobs) {
    const std::uint64_t here = current.bytes_of(blob);
    if (goes_on && current.has(blob)) continue;
    const EarlierTar* other = replaced.best_for(blob);
    const bool from_other = other != nullptr && other->bytes_of(blob) > here;
    if (from_other || !goes_on) copied[from_other ? other : &current].push_back(blob);
  }
  std::uint64_t bytes = 0;
  for (const auto& [tar, blobs] : copied) bytes += tar->stored_bytes_of(blobs);
  return bytes;
}

std::unique_ptr<io::Source> TarsLeft::open(const Blob& blob) const {
  if (auto bytes = current.open(blob)) return bytes;
  const EarlierTar* other = replaced.best_for(blob);
  return other != nullptr ? other->open(blob) : nullptr;
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
