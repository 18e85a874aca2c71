#include "exporter/select/no_list.hpp"

#include <fmt/format.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <string_view>

#include "bundle-format/metadata/json_kind.hpp"
#include "bundle-format/metadata/receipt.hpp"
#include "common/diag/error.hpp"
#include "common/text/escape.hpp"

namespace airgap::exporter {
namespace {

constexpr auto k_of_bundles =
    "--from takes names of images; 'airgap-export list' shows those in a bundle, and --since leaves out what "
    "it holds";

/// Less than a file of a name, at most what an archive begins with.
std::string front_of(const std::string& path) {
  std::array<char, 512> bytes{};
  std::ifstream file(path, std::ios::binary);
  file.read(bytes.data(), bytes.size());
  return {bytes.data(), static_cast<std::size_t>(file.gcount())};
}

bool is_archive(std::string_view front) {
  constexpr std::size_t k_tar_mark = 257;
  return front.starts_with("\x28\xb5\x2f\xfd") || front.starts_with("\x1f\x8b") ||
         (front.size() > k_tar_mark && front.substr(k_tar_mark).starts_with("ustar"));
}

}  // namespace

void refuse_what_is_no_list(const std::string& path) {
  std::error_code error;
  const std::string shown = text::escape(path);
  if (std::filesystem::is_directory(path, error))
    throw diag::UsageError(shown + " is a directory, and no list", k_of_bundles);
  if (!std::filesystem::is_regular_file(path, error)) return;
  const std::string front = front_of(path);
  if (is_archive(front)) throw diag::UsageError(shown + " is an archive, and no list", k_of_bundles);
  if (bundle::json_kind(front) == bundle::k_receipt_kind)
    throw diag::UsageError(shown + " is a receipt, and no list",
                           "--since takes it, and leaves out what it names");
  if (front.starts_with('{') && front.find("\"format\"") != front.npos && bundle::json_kind(front).empty())
    throw diag::UsageError(shown + " is the bundle.json of a bundle, and no list", k_of_bundles);
}

}  // namespace airgap::exporter
