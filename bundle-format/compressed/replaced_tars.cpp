#include "bundle-format/compressed/replaced_tars.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>
#include <vector>

#include "common/diag/log.hpp"

namespace airgap::bundle::compressed {
namespace {

constexpr std::string_view k_replaced = ".replaced-";

std::string replaced_name(const ArchiveName& where, std::size_t number) {
  return fmt::format("{}{}{}", where.partial(), k_replaced, number);
}

/// 0 for any other name.
std::size_t number_in(const ArchiveName& where, std::string_view name) {
  const std::string prefix = where.partial() + std::string(k_replaced);
  if (!name.starts_with(prefix)) return 0;
  std::size_t number = 0;
  std::from_chars(name.data() + prefix.size(), name.data() + name.size(), number);
  return replaced_name(where, number) == name ? number : 0;
}

/// What is there already of each config and layer of a plan.
class Coverage {
 public:
  explicit Coverage(const ArchivePlan& plan) : m_plan(plan), m_there(plan.blobs.size()) {}

  std::uint64_t gain(const EarlierTar& tar) const {
    std::uint64_t bytes = 0;
    for (std::size_t i = 0; i < m_there.size(); ++i) bytes += more_from(tar, i);
    return bytes;
  }
  void add(const EarlierTar& tar) {
    for (std::size_t i = 0; i < m_there.size(); ++i) m_there[i] += more_from(tar, i);
  }

 private:
  std::uint64_t more_from(const EarlierTar& tar, std::size_t index) const {
    const Blob& blob = m_plan.blobs[index];
    if (blob.kind == BlobKind::manifest) return 0;                                        // written anew
    const std::uint64_t given = tar.has(blob) ? blob.size + 1 : tar.partial_bytes(blob);  // also of 0 bytes
    return given - std::min(given, m_there[index]);
  }

  const ArchivePlan& m_plan;
  std::vector<std::uint64_t> m_there;
};

}  // namespace

void ReplacedTars::read(const std::stop_token& stop) {
  for (const io::Entry& entry : m_where.directory.list()) {
    const std::size_t number = number_in(m_where, entry.name);
    auto found = number == 0 ? std::nullopt : m_where.directory.find_file(entry.name);
    if (!found) continue;
    m_highest = std::max(m_highest, number);
    auto file = std::make_shared<const io::File>(std::move(*found));
    if (EarlierTar tar = unfinished_tar(file, stop); tar.plan) {
      m_tars.emplace(number, Replaced{entry.name, std::move(file), std::move(tar)});
    } else if (is_unfinished_tar(file)) {
      m_lost.push_back(entry.name);
    }
  }
}

const EarlierTar* ReplacedTars::best_for(const Blob& blob) const {
  const EarlierTar* best = nullptr;
  std::uint64_t most = 0;
  for (const auto& [number, replaced] : m_tars) {
    const std::uint64_t bytes = replaced.tar.bytes_of(blob);
    const bool whole = replaced.tar.has(blob);
    if (!whole && bytes <= most) continue;
    best = &replaced.tar;
    most = bytes;
    if (whole) break;
  }
  return best;
}

std::optional<std::string> ReplacedTars::manifest(const hash::Digest& digest) const {
  for (const auto& [number, replaced] : m_tars) {
    if (auto bytes = replaced.tar.manifest(digest)) return bytes;
  }
  return std::nullopt;
}

const EarlierTar* ReplacedTars::latest() const {
  return m_tars.empty() ? nullptr : &m_tars.rbegin()->second.tar;
}

void ReplacedTars::set_aside(PartialArchive& partial, EarlierTar tar) {
  const std::size_t number = ++m_highest;
  const std::string name = replaced_name(m_where, number);
  diag::log("bundle", diag::LogLevel::info,
            fmt::format("{} was begun with another plan: copying what it holds out of {}", m_where.partial(),
                        name));
  partial.rename(name);
  m_tars.emplace(number, Replaced{name, partial.shared(), std::move(tar)});
}

void ReplacedTars::drop_needless(const ArchivePlan& plan, const EarlierTar& finished,
                                 const EarlierTar* current, const io::File& partial) {
  Coverage there(plan);
  there.add(finished);
  if (current != nullptr) there.add(*current);
  std::map<std::size_t, Replaced> needless = std::exchange(m_tars, {});
  while (!needless.empty()) {
    const auto best = std::ranges::max_element(
        needless, {}, [&](const auto& replaced) { return there.gain(replaced.second.tar); });
    if (there.gain(best->second.tar) == 0) break;
    there.add(best->second.tar);
    m_tars.insert(needless.extract(best));
  }
  for (const auto& [number, replaced] : needless) m_lost.push_back(replaced.name);
  if (m_lost.empty()) return;
  if (current != nullptr) partial.sync();
  for (const auto& [number, replaced] : m_tars) replaced.file->sync();
  for (const std::string& name : std::exchange(m_lost, {})) m_where.directory.remove_file(name);
}

void ReplacedTars::remove_all() {
  for (const auto& [number, replaced] : std::exchange(m_tars, {}))
    m_where.directory.remove_file(replaced.name);
  for (const std::string& name : std::exchange(m_lost, {})) m_where.directory.remove_file(name);
}

std::optional<LeftFiles> unfinished_tars(const ArchiveName& where) {
  LeftFiles left;
  for (const io::Entry& entry : where.directory.list()) {
    if (entry.size == 0 || (entry.name != where.partial() && number_in(where, entry.name) == 0)) continue;
    const auto file = std::make_shared<const io::File>(where.directory.open_file(entry.name));
    if (is_unfinished_tar(file)) left.add(where.directory.path_of(entry.name), entry.size);
  }
  if (left.files == 0) return std::nullopt;
  return left;
}

}  // namespace airgap::bundle::compressed
