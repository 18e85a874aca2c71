#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "bundle-format/archive/partial_archive.hpp"
#include "bundle-format/compressed/earlier_tar.hpp"

namespace airgap::bundle::compressed {

/// Unfinished compressed archives of other plans, called NAME.tar.zst.partial.replaced-1 and so on: what is
/// wanted of them is copied, and they stay until the new archive is whole.
class ReplacedTars {
 public:
  /// None as yet. `where` is borrowed.
  explicit ReplacedTars(const ArchiveName& where) : m_where(where) {}
  /// Reads and verifies those that lie there; changes nothing. Throws Interrupted.
  void read(const std::stop_token& stop);

  /// The one that gives most of a blob; null when none has anything of it.
  const EarlierTar* best_for(const Blob& blob) const;
  std::optional<std::string> manifest(const hash::Digest& digest) const;  ///< its bytes, verified
  const EarlierTar* latest() const;                                       ///< null when there is none

  /// Gives the file of `tar` a name of its own.
  void set_aside(PartialArchive& partial, EarlierTar tar);
  /// Removes those that give `plan` no more than `finished`, which stays, `current`, which may be null, and
  /// the others do. What gives it is put on stable storage before.
  void drop_needless(const ArchivePlan& plan, const EarlierTar& finished, const EarlierTar* current,
                     const io::File& partial);
  void remove_all();

 private:
  struct Replaced {
    std::string name;
    std::shared_ptr<const io::File> file;
    EarlierTar tar;
  };

  const ArchiveName& m_where;
  std::map<std::size_t, Replaced> m_tars;  ///< by their number, from 1
  std::vector<std::string> m_lost;         ///< names of those that hold nothing
  std::size_t m_highest = 0;               ///< number that is taken, be it by a file of somebody else
};

/// The files of an unfinished archive of that name and of those that it replaced, when there are any.
std::optional<LeftFiles> unfinished_tars(const ArchiveName& where);

}  // namespace airgap::bundle::compressed
