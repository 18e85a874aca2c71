#include "bundle-format/left_out.hpp"

#include <algorithm>
#include <iterator>
#include <map>
#include <set>

#include "bundle-format/blame.hpp"
#include "bundle-format/verify.hpp"
#include "common/diag/touching.hpp"

namespace airgap::bundle {
namespace {

/// About blobs, or about the end of an archive, of which no image has anything.
bool is_of_single_blobs(const Finding& finding) {
  return finding.kind != diag::ErrorKind::unsafe &&
         (!lost_with(finding).empty() || !finding.around.empty() || finding.file.ends_with(k_archive_end));
}

/// Which images the findings touch. Manifests that are damaged have their findings already.
std::vector<std::string> touched_images(Inspection& bundle) {
  return blame(bundle, std::vector(bundle.findings), bundle.findings);
}

/// The gravest finding about something, and how many there are.
struct Cause {
  const Finding* finding = nullptr;
  std::size_t count = 0;

  void add(const Finding& other) {
    if (finding == nullptr || outweighs(other.kind, finding->kind)) finding = &other;
    ++count;
  }
  diag::Error error(const std::string& path) const { return as_error(*finding, path, count - 1); }
};

}  // namespace

bool find_damaged_manifests(Inspection& bundle) {
  std::vector<Blob> manifests;
  std::ranges::copy_if(bundle.readable, std::back_inserter(manifests),
                       [](const Blob& blob) { return blob.kind == BlobKind::manifest; });
  std::vector<Finding> damaged = read_blobs(bundle, manifests, 1, {}, [](std::uint64_t) {});
  const bool found = !damaged.empty();
  std::ranges::move(damaged, std::back_inserter(bundle.findings));
  return found;
}

LeftOut leave_out_damaged(Inspection& bundle, const std::string& path) {
  const bool single =
      bundle.info && !bundle.unfinished && std::ranges::all_of(bundle.findings, is_of_single_blobs);
  if (bundle.info) find_damaged_manifests(bundle);
  if (!single) refuse_damaged(bundle, path);
  const std::vector<std::string> touched = touched_images(bundle);
  if (!std::ranges::all_of(bundle.findings, is_of_single_blobs)) throw_first(bundle.findings, path);
  std::map<std::string, Cause> causes;
  Cause others;
  for (const Finding& finding : bundle.findings) {
    for (const std::string& image : finding.images) causes[image].add(finding);
    if (finding.images.empty()) others.add(finding);
  }
  LeftOut left_out;
  for (const std::string& image : touched) {
    const auto cause = causes.find(image);  // not there where findings name too many to be listed
    const diag::Error error = cause != causes.end()
                                  ? cause->second.error(path)
                                  : as_error(gravest(bundle.findings), path, bundle.findings.size() - 1);
    left_out.images.push_back({image, error});
  }
  if (others.finding != nullptr) left_out.others = others.error(path);
  const std::set<std::string> names(touched.begin(), touched.end());
  std::erase_if(bundle.info->images, [&](const Image& image) { return names.contains(image.name.str()); });
  return left_out;
}

void refuse_damaged(Inspection& bundle, const std::string& path) {
  const Finding worst = gravest(bundle.findings);
  const std::size_t more = bundle.findings.size() - 1;
  if (worst.kind != diag::ErrorKind::integrity || !bundle.info || bundle.unfinished)
    throw_first(bundle.findings, path);
  throw diag::touching(as_error(worst, path, more), touched_images(bundle));
}

}  // namespace airgap::bundle
