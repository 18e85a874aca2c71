#pragma once

#include <string>
#include <string_view>

#include "bundle-format/metadata/bundle_json.hpp"
#include "common/io/directory.hpp"

namespace airgap::skopeo_tree {

/// Whether a file may have several names in the directory `in`: tried with the file `file` there.
bool links_work(const io::Directory& top, const std::string& in, const std::string& file);

/// Gives the blob at `from` a second place `to`, replacing what is there: a hard link, or a copy that is
/// verified while it is made, and synced before it gets its name. The copy's temporary name is `temporary`.
/// Throws DigestMismatch when the bytes at `from` are not the blob's.
void share_blob(const io::Directory& top, const bundle::Blob& blob, const std::string& from,
                const std::string& to, bool links, const std::string& temporary);

/// Reads the blob at `path` and throws DigestMismatch when its bytes are not the blob's.
void prove_blob(const io::Directory& top, const bundle::Blob& blob, const std::string& path);

}  // namespace airgap::skopeo_tree
