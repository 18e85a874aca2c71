#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/registry/upload_session.hpp"
#include "common/registry/upload_ways.hpp"

namespace airgap::registry {

/// Sends a blob in chunks within one session. A chunk is held in memory until the registry has taken it, so
/// the blob is read once however often a request has to be repeated (distribution-spec, "Pushing a blob in
/// chunks").
class ChunkedUpload {
 public:
  /// `host`, `path` and `blob` are borrowed.
  ChunkedUpload(HostSession& host, const std::string& path, UploadSession session, OutgoingBlob& blob);

  /// Sends what is left, `chunk_size` bytes a request, and commits. May be called again after try_later,
  /// too_large and a TransferError: it asks how far the registry is and goes on there.
  UploadOutcome send_rest(std::uint64_t chunk_size);
  std::uint64_t taken() const noexcept { return m_taken; }  ///< bytes
  std::uint64_t min_chunk() const noexcept { return m_session.min_chunk; }

 private:
  std::optional<UploadOutcome> find_place();
  UploadOutcome send_chunk(std::size_t size);
  void fill(std::uint64_t chunk_size);
  void advance_to(std::uint64_t taken);

  HostSession& m_host;
  const std::string& m_path;
  UploadSession m_session;
  OutgoingBlob& m_blob;
  std::unique_ptr<io::Source> m_source;
  std::vector<std::byte> m_buffer;
  std::string m_held;         // what follows the bytes that were taken
  std::uint64_t m_taken = 0;  // bytes
  bool m_ended = false;       // m_source, verified
  bool m_in_doubt = false;    // whether the latest request was carried out
};

}  // namespace airgap::registry
