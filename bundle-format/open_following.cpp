#include "bundle-format/open_following.hpp"

#include <filesystem>

#include "common/text/escape.hpp"

namespace airgap::bundle {

std::shared_ptr<const io::File> open_following(const std::string& path) {
  std::error_code error;
  const auto real = std::filesystem::canonical(path, error);
  if (error) io::throw_errno(error.value(), "cannot open " + text::escape(path));
  return std::make_shared<const io::File>(io::File::open_read(real));
}

}  // namespace airgap::bundle
