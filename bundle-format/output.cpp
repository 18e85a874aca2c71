#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <string_view>

#include "bundle-format/archive/archive_place.hpp"
#include "bundle-format/archive/archive_writer.hpp"
#include "bundle-format/bundle_writer.hpp"
#include "bundle-format/compressed/compressed_writer.hpp"
#include "bundle-format/compressed/tars_left.hpp"
#include "bundle-format/directory/directory_place.hpp"
#include "bundle-format/directory/directory_writer.hpp"
#include "bundle-format/pipe/pipe_writer.hpp"
#include "bundle-format/skopeo_tree/tree_writer.hpp"
#include "bundle-format/volumes/volume_writer.hpp"
#include "bundle-format/volumes/volumes_place.hpp"
#include "common/diag/error.hpp"

namespace airgap::bundle {
namespace {

namespace fs = std::filesystem;

io::File standard_output() {
  const int fd = ::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
  if (fd < 0) io::throw_errno(errno, "cannot use standard output");
  return {fd, "standard output"};
}

OutputForm checked_form(const OutputOptions& options) {
  const OutputForm form = options.skopeo_tree ? tree_form(options.path) : output_form(options.path);
  check_writable(options.path, form);
  return form;
}

}  // namespace

void refuse_to_replace(const std::string& archive, const BundleInfo& finished, const BundleInfo& wanted) {
  const auto equal = [&](auto member) {
    return std::ranges::equal(finished.images, wanted.images, {}, member, member);
  };
  const std::string_view difference = !equal(&Image::name) || !equal(&Image::digest) ? "holds other images"
                                      : !equal(&Image::target) ? "holds these images under other names inside"
                                      : finished.requires_ != wanted.requires_
                                          ? "holds these images, and leaves out other blobs"
                                          : "is another bundle of these images";
  throw diag::UsageError(fmt::format("{} is finished and {}", archive, difference),
                         "choose another name, or --overwrite");
}

std::unique_ptr<BundlePlace> look_at(const OutputOptions& options) {
  const OutputForm form = checked_form(options);
  if (form == OutputForm::pipe) return std::make_unique<EmptyPlace>();
  if (form == OutputForm::archive && options.volume_size)
    return look_at_volumes(options.path, *options.volume_size, options.overwrite);
  if (form == OutputForm::archive) return look_at_archive(options.path, options.overwrite);
  if (form == OutputForm::compressed_archive)
    return compressed::look_at_compressed(options.path, options.overwrite, options.stop);
  std::error_code error;
  if (!fs::is_directory(options.path, error)) return std::make_unique<EmptyPlace>();
  if (form == OutputForm::skopeo_tree) return skopeo_tree::look_at_tree(options.path, *options.skopeo_tree);
  return look_at_directory(options.path);
}

std::unique_ptr<BundleWriter> open_writer(const OutputOptions& options) {
  switch (checked_form(options)) {
    case OutputForm::pipe:
      return open_pipe_writer(standard_output(), options.stop);
    case OutputForm::archive:
      if (options.volume_size)
        return open_volume_writer(options.path, *options.volume_size, options.overwrite, options.stop);
      return open_archive_writer(options.path, options.overwrite, options.stop);
    case OutputForm::compressed_archive:
      return compressed::open_compressed_writer(options.path, options.overwrite, options.stop);
    case OutputForm::skopeo_tree:
      return skopeo_tree::open_tree_writer(options.path, *options.skopeo_tree);
    case OutputForm::directory:
      break;
  }
  return open_directory_writer(options.path);
}

}  // namespace airgap::bundle
