#include "bundle-format/no_bundle.hpp"

#include <algorithm>
#include <string>

#include "bundle-format/metadata/json_kind.hpp"
#include "bundle-format/metadata/receipt.hpp"
#include "common/diag/error.hpp"

namespace airgap::bundle {
namespace {

bool is_text(std::string_view front) {
  return !front.empty() && std::ranges::all_of(front, [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte >= 0x20 || c == '\n' || c == '\r' || c == '\t';
  });
}

}  // namespace

void refuse_as_no_bundle(std::string_view front) {
  constexpr std::string_view k_ours = "airgap-";
  const std::string kind = json_kind(front);
  if (kind == k_receipt_kind)
    throw diag::UsageError("it is no bundle, but a receipt",
                           "outside, --since of 'airgap-export pull' takes it; here goes what that writes");
  if (kind.starts_with(k_ours))
    throw diag::UsageError("it is no bundle, but a " + kind.substr(k_ours.size()),
                           "outside, --from of 'airgap-export pull' takes it; here goes what that writes");
  if (is_text(front))
    throw diag::UsageError(
        "it is no bundle, but text",
        "name a directory or a .tar file that airgap-export wrote; a list of images is for "
        "--from of 'airgap-export pull'");
  throw diag::UsageError("it is no bundle: it does not begin as one",
                         "name a directory or a .tar file that airgap-export wrote");
}

}  // namespace airgap::bundle
