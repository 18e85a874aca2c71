#include "bundle-format/no_bundle.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
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

/// A packer that is not read here, by what its files begin with.
struct Packer {
  std::string_view begin;
  std::string_view name;
};

constexpr std::array<Packer, 3> k_packers{{{"\xfd"
                                            "7zXZ",
                                            "xz"},
                                           {"BZh", "bzip2"},
                                           {"\x04\x22\x4d\x18", "lz4"}}};

void refuse_packed(std::string_view front, From from) {
  for (const Packer& packer : k_packers) {
    if (!front.starts_with(packer.begin)) continue;
    throw diag::UsageError(fmt::format("it is no bundle, but {} data", packer.name),
                           fmt::format("unpack it on the way: {} | airgap-import push - REGISTRY",
                                       from == From::pipe ? fmt::format("… | {} -dc", packer.name)
                                                          : fmt::format("{} -dc FILE", packer.name)));
  }
}

}  // namespace

void refuse_as_no_bundle(std::string_view front, From from) {
  constexpr std::string_view k_ours = "airgap-";
  constexpr auto k_before_the_pipe =
      "the archive has to come alone: see whether a program before the pipe writes a banner or a message, or "
      "another file was sent";
  const std::string kind = json_kind(front);
  if (kind == k_receipt_kind)
    throw diag::UsageError("it is no bundle, but a receipt",
                           "outside, --since of 'airgap-export pull' takes it; here goes what that writes");
  if (kind.starts_with(k_ours))
    throw diag::UsageError("it is no bundle, but a " + kind.substr(k_ours.size()),
                           "outside, --from of 'airgap-export pull' takes it; here goes what that writes");
  refuse_packed(front, from);
  if (is_text(front))
    throw diag::UsageError(
        "it is no bundle, but text",
        from == From::pipe
            ? k_before_the_pipe
            : "name a directory or a .tar file that airgap-export wrote; a list of images is for "
              "--from of 'airgap-export pull'");
  throw diag::UsageError(
      "it is no bundle: it does not begin as one",
      from == From::pipe ? k_before_the_pipe : "name a directory or a .tar file that airgap-export wrote");
}

}  // namespace airgap::bundle
