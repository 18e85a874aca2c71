#include "importer/want_list_file.hpp"

#include <array>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <string_view>

#include "bundle-format/metadata/creation_time.hpp"
#include "bundle-format/metadata/json_kind.hpp"
#include "common/cli/report_file.hpp"
#include "common/io/file.hpp"
#include "common/text/escape.hpp"

namespace airgap::importer {
namespace {

bool is_want_list(const std::string& path) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) return false;
  std::array<char, 512> front{};  // what we write says there what it is
  std::ifstream file(path, std::ios::binary);
  file.read(front.data(), front.size());
  return bundle::json_kind({front.data(), static_cast<std::size_t>(file.gcount())}) ==
         bundle::k_want_list_kind;
}

}  // namespace

void write_want_list_file(bundle::WantList list, const std::string& path) {
  list.created = bundle::creation_time().text;
  cli::write_report_file(path, bundle::write_want_list(list), "want-list");
}

bool remove_want_list_file(const std::string& path) {
  if (!is_want_list(path)) return false;
  std::error_code error;
  std::filesystem::remove(path, error);
  if (error) io::throw_errno(error.value(), "cannot remove the want-list '" + text::escape(path) + "'");
  return true;
}

}  // namespace airgap::importer
