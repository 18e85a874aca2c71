#pragma once

#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "bundle-format/archive/archive_state.hpp"

namespace airgap::bundle {

/// A whole blob that is on its way from one place in an unfinished archive to another.
struct BlobMove {
  Blob blob;
  tar::Place from;
  tar::Place to;

  friend bool operator==(const BlobMove&, const BlobMove&) = default;
};

/// The text of NAME.tar.partial.moving, which stands beside an archive while it is rearranged. SPEC.md,
/// "Unfinished bundles".
std::string journal_text(const std::vector<BlobMove>& moves);
/// Whether a file begins as a journal does: nothing, zeros, or its first line. Anything else is somebody's.
bool is_journal(const io::File& file);
/// Nothing for text that is no whole journal.
std::vector<BlobMove> parse_journal(std::string_view text);

/// What a rearrangement that was broken off left: each blob is at the one place or the other, or, when it was
/// in flight, at neither. Told by the bytes, so all of them are read. No head, and blobs in archive order.
ArchiveState salvage(const std::shared_ptr<const io::File>& archive, const std::vector<BlobMove>& moves);

}  // namespace airgap::bundle
