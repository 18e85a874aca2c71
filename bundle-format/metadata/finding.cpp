#include "bundle-format/metadata/finding.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "bundle-format/metadata/layout.hpp"
#include "common/text/escape.hpp"
#include "common/text/human_size.hpp"

namespace airgap::bundle {

namespace {

constexpr std::size_t k_longest = 4096;  ///< of the paths that were named

}  // namespace

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

bool outweighs(diag::ErrorKind one, diag::ErrorKind other) {
  const auto rank = [](diag::ErrorKind kind) {
    if (kind == diag::ErrorKind::unsafe) return 2;
    return kind == diag::ErrorKind::integrity ? 1 : 0;
  };
  return rank(one) > rank(other);
}

const Finding& gravest(const std::vector<Finding>& findings) {
  if (findings.empty()) throw diag::InternalError("there is no finding");
  return *std::ranges::max_element(
      findings, [](const Finding& a, const Finding& b) { return outweighs(b.kind, a.kind); });
}

diag::Error as_error(const Finding& finding, const std::string& path, std::size_t more) {
  std::string message =
      fmt::format("{}: {}: {}", text::escape(path, k_longest), finding.file, finding.problem);
  if (more > 0) message += fmt::format(" (and {})", text::counted(more, "more finding"));
  return {finding.kind, std::move(message),
          finding.hint.empty() ? "see all that is wrong with 'verify'" : finding.hint};
}

void throw_first(const std::vector<Finding>& findings, const std::string& path) {
  diag::Error error = as_error(gravest(findings), path, findings.size() - 1);
  switch (error.kind()) {
    case diag::ErrorKind::unsafe:
      throw diag::UnsafeError(error.message(), error.hint());
    case diag::ErrorKind::storage:
      throw diag::StorageError(error.message(), error.hint());
    case diag::ErrorKind::integrity:
      throw diag::IntegrityError(error.message(), error.hint());
    default:
      throw diag::Error(error);
  }
}

}  // namespace airgap::bundle
