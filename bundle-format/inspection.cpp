#include "bundle-format/inspection.hpp"

#include <fmt/format.h>

#include <filesystem>

#include "bundle-format/layout.hpp"
#include "bundle-format/volumes/inspect_volumes.hpp"
#include "common/io/file.hpp"

namespace airgap::bundle {

Inspection inspect(const std::vector<std::string>& paths, Depth depth) {
  if (const auto set = find_volumes(paths)) return inspect_volumes(*set, depth);
  const std::string& path = paths.front();
  namespace fs = std::filesystem;
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  switch (status.type()) {
    case fs::file_type::directory:
      return inspect_directory(path, depth);
    case fs::file_type::regular:
      return inspect_archive(path, depth);
    case fs::file_type::not_found:
      if (fs::exists(path + std::string(k_partial_ending), error))
        throw diag::IntegrityError(
            fmt::format("{} is unfinished: there is only {}{}", path, path, k_partial_ending),
            "run the export again with the same command; it continues");
      throw diag::UsageError("there is no bundle at " + path,
                             "name a directory or a .tar file that airgap-export wrote");
    case fs::file_type::none:
      io::throw_errno(error.value(), "cannot examine " + path);
    default:
      throw diag::UsageError(path + " is neither a directory nor a file", "a bundle from a pipe is named -");
  }
}

}  // namespace airgap::bundle
