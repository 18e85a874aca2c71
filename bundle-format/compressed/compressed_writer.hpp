#pragma once

#include <memory>
#include <stop_token>
#include <string>

#include "bundle-format/bundle_writer.hpp"

namespace airgap::bundle::compressed {

/// Writes FILE.tar.zst: the bytes of the archive form in order (OrderedArchive), as zstd frames (FramedSink),
/// under the name FILE.tar.zst.partial until it is whole and on stable storage. Of an unfinished one all
/// that is whole is kept, to the last whole frame of the blob that was cut; one of another plan gets a name
/// of its own (ReplacedTars), and what is wanted of it is copied. Otherwise as open_archive_writer().
std::unique_ptr<BundleWriter> open_compressed_writer(const std::string& path, bool overwrite,
                                                     const std::stop_token& stop = {});

}  // namespace airgap::bundle::compressed
