#pragma once

#include "bundle-format/skopeo_tree/tree_inspection.hpp"
#include "bundle-format/verify.hpp"

namespace airgap::skopeo_tree {

/// bundle::verify_bundle for a tree: every blob of every folder against its name, what several folders share
/// by hard links once.
bundle::VerifyReport verify_tree(const TreeInspection& tree, std::size_t jobs, std::stop_token stop,
                                 const std::function<void(std::uint64_t)>& progress);

}  // namespace airgap::skopeo_tree
