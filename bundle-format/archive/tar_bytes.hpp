#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "bundle-format/archive/archive_plan.hpp"
#include "bundle-format/metadata/finding.hpp"
#include "common/io/file.hpp"
#include "common/io/stream.hpp"

namespace airgap::bundle {

/// The bytes of an archive's tar, however they are stored. Thread-safe.
class TarBytes {
 public:
  virtual ~TarBytes() = default;
  virtual std::uint64_t size() const = 0;  ///< of what is there
  /// From `offset` on, `length` bytes or what there is of them.
  virtual std::unique_ptr<io::Source> open(std::uint64_t offset, std::uint64_t length) const = 0;
  virtual std::string form() const = 0;  ///< "archive" or "compressed archive", for reports
  /// What is wrong with the way in which it is stored.
  virtual std::optional<Finding> finding() const { return std::nullopt; }
  /// Whether it is stored in the parts that SPEC.md wants for this layout. A plain one has no parts.
  virtual bool follows(const ArchivePlan&) const { return true; }
  /// Where the table of its parts is wrong about them: the same without it, with that as its finding. Else
  /// null.
  virtual std::shared_ptr<const TarBytes> without_table() const { return nullptr; }
};

/// Tells from the content which of them a file is. A link that the user named is followed. Throws UsageError
/// for a file that is_packed().
std::shared_ptr<const TarBytes> open_tar(const std::string& path);
std::shared_ptr<const TarBytes> plain_tar(std::shared_ptr<const io::File> file);

/// `length` bytes, or what there is of them. The caller has bounded `length`.
std::string read_text(const TarBytes& tar, std::uint64_t offset, std::uint64_t length);

}  // namespace airgap::bundle
