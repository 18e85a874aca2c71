#pragma once

#include <string>

#include "bundle-format/metadata/want_list.hpp"

namespace airgap::importer {

/// Writes the list to `path`, with the time. Throws StorageError.
void write_want_list_file(bundle::WantList list, const std::string& path);

/// Nothing is missing: a want-list of an earlier run would mislead whoever carries it out. True when one was
/// there; whatever else is at `path` stays. Throws StorageError when it cannot be removed.
bool remove_want_list_file(const std::string& path);

}  // namespace airgap::importer
