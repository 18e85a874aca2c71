#include "bundle-format/metadata/finding.hpp"

#include <fmt/format.h>

#include "bundle-format/metadata/layout.hpp"
#include "common/text/human_size.hpp"

namespace airgap::bundle {

std::vector<hash::Digest> lost_with(const Finding& finding) {
  if (!finding.blobs.empty()) return finding.blobs;
  if (const auto digest = digest_of_path(finding.file)) return {*digest};
  return {};
}

Finding finding_of(const diag::Error& error, std::string file) {
  return {.kind = error.kind(),
          .file = std::move(file),
          .problem = error.message(),
          .images = {},
          .hint = error.hint()};
}

void throw_first(const std::vector<Finding>& findings, const std::string& path) {
  if (findings.empty()) throw diag::InternalError("there is no finding to throw");
  const Finding& first = findings.front();
  std::string message = fmt::format("{}: {}: {}", path, first.file, first.problem);
  if (findings.size() > 1)
    message += fmt::format(" (and {})", text::counted(findings.size() - 1, "more finding"));
  const std::string hint = first.hint.empty() ? "see all that is wrong with 'verify'" : first.hint;
  switch (first.kind) {
    case diag::ErrorKind::unsafe:
      throw diag::UnsafeError(std::move(message), hint);
    case diag::ErrorKind::storage:
      throw diag::StorageError(std::move(message), hint);
    case diag::ErrorKind::integrity:
      throw diag::IntegrityError(std::move(message), hint);
    default:
      throw diag::Error(first.kind, std::move(message), hint);
  }
}

}  // namespace airgap::bundle
