#include "bundle-format/skopeo_tree/tree_writer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "bundle-format/arriving_blobs.hpp"
#include "bundle-format/directory/new_directory.hpp"
#include "bundle-format/earlier_bundle.hpp"
#include "bundle-format/metadata/layout.hpp"
#include "bundle-format/partial_area.hpp"
#include "bundle-format/skopeo_tree/earlier_tree.hpp"
#include "bundle-format/skopeo_tree/layout.hpp"
#include "bundle-format/skopeo_tree/shared_file.hpp"
#include "bundle-format/skopeo_tree/target_folder.hpp"
#include "common/diag/error.hpp"
#include "common/image/manifest.hpp"
#include "common/io/medium.hpp"
#include "common/task/guarded.hpp"
#include "common/text/escape.hpp"
#include "common/text/human_size.hpp"

namespace airgap::skopeo_tree {
namespace {

using bundle::Blob;

class TreeWriter final : public bundle::BundleWriter {
 public:
  TreeWriter(const std::string& path, const bundle::TreeOptions& options);
  ~TreeWriter() override;

  const std::optional<bundle::BundleInfo>& existing() const override { return m_no_info; }
  const bundle::Image* existing_image(const image::Reference& name) const override;
  bool finished() const override { return m_earlier.finished; }
  std::optional<std::string> existing_manifest(const hash::Digest& digest) const override;
  bool has_blob(const Blob& blob) const override;
  std::uint64_t partial_bytes(const Blob& blob) const override { return m_arriving.partial_bytes(blob); }

  void begin(bundle::Contents contents) override;
  void commit() override;

 private:
  void store_blob(const Blob& blob, const transport::BlobOpener& open,
                  transport::Observer& observer) override;
  using Places = std::unordered_map<hash::Digest, EarlierTree::Place>;

  void refuse_damaged_others() const;
  void plan_places();
  void check_room_for_copies() const;
  void publish(const std::vector<Blob>& batch);
  void prove(const Blob& blob, const std::string& path);
  void share(const Blob& blob, const std::string& from, const std::string& to);
  void share_the_rest();
  void write_documents();
  void remove_what_is_stale();
  void remove_folder(const std::string& path);

  bundle::TreeOptions m_options;
  bundle::NewDirectory m_new;
  io::Directory m_top;
  std::optional<bundle::PartialArea> m_partial;
  bundle::ArrivingBlobs m_arriving;
  bool m_links = true;
  EarlierTree m_earlier;
  std::optional<bundle::BundleInfo> m_no_info;
  std::optional<bundle::Contents> m_contents;
  std::vector<TargetFolder> m_targets;                                  ///< those that change
  std::set<std::string> m_stale;                                        ///< folders that go away
  std::unordered_map<hash::Digest, std::vector<std::string>> m_wanted;  ///< where a blob is still to be
  task::Guarded<Places> m_places;
  std::set<std::pair<std::uint64_t, std::uint64_t>> m_proven;  ///< device and inode of blobs that were read
};

TreeWriter::TreeWriter(const std::string& path, const bundle::TreeOptions& options)
    : m_options(options),
      m_new(path),
      m_top(io::Directory::create_or_open(path)),
      m_arriving(m_top, [this](const std::vector<Blob>& batch) { publish(batch); }) {
  try {
    m_earlier = earlier_tree(m_top);
    m_partial.emplace(m_top);
    m_earlier = [&] {  // once more, now that nobody else changes it
      EarlierTree tree = earlier_tree(m_top);
      tree.finished = m_earlier.finished;
      return tree;
    }();
    m_links = links_work(m_top, std::string(bundle::k_partial_directory), "lock");
    m_places.with([&](Places& places) { places = m_earlier.blobs; });
  } catch (...) {
    m_partial.reset();
    m_new.remove();
    throw;
  }
}

TreeWriter::~TreeWriter() {
  m_partial.reset();
  if (!m_contents) m_new.remove();
}

const bundle::Image* TreeWriter::existing_image(const image::Reference& name) const {
  return m_earlier.image_in(folder_of(name, m_options.scoped));
}

std::optional<std::string> TreeWriter::existing_manifest(const hash::Digest& digest) const {
  return m_earlier.manifest(m_top, digest);
}

bool TreeWriter::has_blob(const Blob& blob) const {
  return m_arriving.waiting(blob.digest) || m_places.with([&](const Places& places) {
    const auto found = places.find(blob.digest);
    return found != places.end() && found->second.size == blob.size;
  });
}

void TreeWriter::begin(bundle::Contents contents) {
  m_contents = std::move(contents);
  std::set<std::string> named;
  for (const bundle::Image& image : m_contents->info.images) {
    TargetFolder target(image, folder_of(image.name, m_options.scoped), *m_contents);
    named.insert(target.path());
    const auto earlier = m_earlier.folders.find(target.path());
    if (earlier == m_earlier.folders.end() || !target.is_done(m_top, earlier->second))
      m_targets.push_back(std::move(target));
  }
  for (const auto& [path, folder] : m_earlier.folders) {
    if (!named.contains(path) && (m_options.prune || !folder.has_manifest)) m_stale.insert(path);
  }
  refuse_damaged_others();
  if (m_targets.empty() && m_stale.empty()) return;
  m_partial->keep();
  plan_places();
  check_room_for_copies();
}

// A finished tree is whole, or the exit status would be no proof.
void TreeWriter::refuse_damaged_others() const {
  std::set<std::string> replaced = m_stale;
  for (const TargetFolder& target : m_targets) replaced.insert(target.path());
  for (const auto& [path, folder] : m_earlier.folders) {
    if (folder.image || replaced.contains(path)) continue;
    throw diag::IntegrityError(
        fmt::format("{} holds an image that is not whole beside those to be pulled: {}", m_top.path(),
                    folder.problem),
        "pull that image as well, or let --prune remove what is not pulled");
  }
}

void TreeWriter::plan_places() {
  for (const TargetFolder& target : m_targets) {
    const auto earlier = m_earlier.folders.find(target.path());
    for (const Blob& blob : target.blobs()) {
      const std::string file = blob_file(blob.digest);
      if (earlier != m_earlier.folders.end()) {
        const auto there = earlier->second.files.find(file);
        if (there != earlier->second.files.end() && there->second == blob.size) continue;
      }
      m_wanted[blob.digest].push_back(target.path() + "/" + file);
    }
  }
}

void TreeWriter::check_room_for_copies() const {
  if (m_links) return;
  std::uint64_t needed = 0;
  for (const TargetFolder& target : m_targets) {
    for (const Blob& blob : target.blobs()) {
      const auto wanted = m_wanted.find(blob.digest);
      if (wanted != m_wanted.end() && std::ranges::any_of(wanted->second, [&](const std::string& path) {
            return path.starts_with(target.path() + "/");
          }))
        needed += blob.size;
    }
  }
  const auto free = io::medium_of(m_top.path()).free_bytes;
  if (!free || needed <= *free) return;
  throw diag::StorageError(
      fmt::format(
          "{} more are needed at {}, since its file system has no hard links and what images share is "
          "copied; {} are free",
          text::human_size(needed), m_top.path(), text::human_size(*free)),
      "choose a file system with hard links, or write a bundle, which holds each blob once");
}

void TreeWriter::store_blob(const Blob& blob, const transport::BlobOpener& open,
                            transport::Observer& observer) {
  m_arriving.receive(blob, open, observer);
}

void TreeWriter::publish(const std::vector<Blob>& batch) {
  std::set<std::string> folders;
  const auto folder_of_file = [](const std::string& path) { return path.substr(0, path.rfind('/')); };
  for (const Blob& blob : batch) {
    const std::vector<std::string>& wanted = m_wanted.at(blob.digest);
    for (const std::string& path : wanted) {
      if (folders.insert(folder_of_file(path)).second) m_top.make_directories(folder_of_file(path));
    }
    m_top.rename(bundle::PartialArea::name_of(blob.digest), wanted.front());
    for (std::size_t i = 1; i < wanted.size(); ++i) share(blob, wanted.front(), wanted[i]);
  }
  for (const std::string& folder : folders) m_top.sync(folder);
  m_places.with([&](Places& places) {
    for (const Blob& blob : batch)
      places.insert_or_assign(blob.digest, EarlierTree::Place{m_wanted.at(blob.digest).front(), blob.size});
  });
}

void TreeWriter::share(const Blob& blob, const std::string& from, const std::string& to) {
  diag::with_context([&] { return fmt::format("giving {} to {}", blob.digest.str(), to); },
                     [&] {
                       share_blob(m_top, blob, from, to, m_links,
                                  bundle::PartialArea::name_of(blob.digest) + ".copy");
                     });
}

void TreeWriter::commit() {
  if (!m_contents) throw diag::InternalError("a tree was finished before it was begun");
  if (!m_targets.empty() || !m_stale.empty()) {
    m_arriving.publish_rest();
    share_the_rest();
    write_documents();
    m_top.sync_file_system();
    for (const TargetFolder& target : m_targets) target.publish_manifest(m_top);
    m_top.sync_file_system();
    remove_what_is_stale();
  }
  m_partial->remove();
  m_top.sync();
  m_new.sync_parents();
}

// Of what the tree had before the size alone was looked at: an image that this run writes is not to build on
// damage. What arrived in this run was verified on its way.
void TreeWriter::prove(const Blob& blob, const std::string& path) {
  if (!m_earlier.blobs.contains(blob.digest)) return;
  const auto there = m_top.stat(path);
  if (there && !m_proven.emplace(there->device, there->inode).second) return;
  try {
    prove_blob(m_top, blob, path);
  } catch (diag::Error& error) {
    error.add_context(fmt::format("reading {}/{}, which was there before", m_top.path(), text::escape(path)));
    error.set_hint(
        "remove that file and run the same again: it is fetched anew; 'verify' looks for more damage");
    throw;
  }
}

// Blobs that the tree had before, and those of images that share them with it.
void TreeWriter::share_the_rest() {
  for (const TargetFolder& target : m_targets) {
    m_top.make_directories(target.path());
    for (const Blob& blob : target.blobs()) {
      const std::string path = target.path() + "/" + blob_file(blob.digest);
      const auto there = m_top.stat(path);
      if (there && there->kind == io::EntryKind::file && there->size == blob.size) {
        prove(blob, path);
        continue;
      }
      const auto place = m_places.with([&](const Places& places) -> std::optional<EarlierTree::Place> {
        const auto found = places.find(blob.digest);
        return found == places.end() ? std::nullopt : std::optional(found->second);
      });
      if (!place || place->size != blob.size)
        throw diag::InternalError(fmt::format("{} is not in the tree to be finished", blob.digest.str()));
      if (m_links) prove(blob, place->path);  // a copy is proven while it is made
      share(blob, place->path, path);
    }
  }
}

void TreeWriter::write_documents() {
  for (const TargetFolder& target : m_targets) target.write_documents(m_top, *m_contents);
}

void TreeWriter::remove_what_is_stale() {
  for (const TargetFolder& target : m_targets) {
    for (const io::Entry& entry : m_top.list(target.path())) {
      if (!target.holds(entry.name) && FileName::parse(entry.name).kind != FileKind::foreign)
        m_top.remove_file(target.path() + "/" + entry.name);
    }
  }
  for (const std::string& path : m_stale) remove_folder(path);
}

// The manifest first: a folder without it claims nothing.
void TreeWriter::remove_folder(const std::string& path) {
  m_top.remove_file(path + "/" + std::string(k_manifest_file));
  for (const io::Entry& entry : m_top.list(path)) m_top.remove_file(path + "/" + entry.name);
  std::string empty = path;
  while (m_top.list(empty).empty()) {
    m_top.remove_directory(empty);
    const std::size_t slash = empty.rfind('/');
    if (slash == empty.npos) break;
    empty.resize(slash);
  }
}

}  // namespace

std::unique_ptr<bundle::BundleWriter> open_tree_writer(const std::string& path,
                                                       const bundle::TreeOptions& options) {
  return std::make_unique<TreeWriter>(path, options);
}

void check_folders(const std::vector<image::Reference>& names, bool scoped) {
  std::map<std::string, const image::Reference*> taken;
  for (const image::Reference& name : names) {
    if (name.tag && name.digest)
      throw diag::UsageError(
          fmt::format("{} has a tag and a digest, and skopeo reads no folder of that name", name.str()),
          "name it by one of them");
    const auto [place, is_new] = taken.try_emplace(folder_of(name, scoped), &name);
    if (is_new || *place->second == name) continue;
    throw diag::UsageError(fmt::format("{} and {} would both be written to the folder {}",
                                       place->second->str(), name.str(), place->first),
                           "keep them apart with --scoped, which calls folders by the whole name");
  }
}

}  // namespace airgap::skopeo_tree
