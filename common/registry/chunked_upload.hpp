#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "common/registry/chunk_bytes.hpp"
#include "common/registry/kept_uploads.hpp"
#include "common/registry/upload_session.hpp"
#include "common/registry/upload_ways.hpp"

namespace airgap::registry {

/// Sends a blob in chunks within one session (distribution-spec, "Pushing a blob in chunks"). How large they
/// are follows the line: a stop waits for the one that is under way.
class ChunkedUpload {
 public:
  /// All but the session is borrowed. `record`, unless null, is kept up to date for a later run.
  ChunkedUpload(HostSession& host, const std::string& path, UploadSession session, OutgoingBlob& blob,
                KeptUpload* record);

  /// For a session of an earlier run: asks how far it is, and passes the bytes that are there. False when the
  /// registry does not have it any more, or cannot say. Throws NetworkError where a quota is exhausted.
  bool go_on();
  /// Sends what is left, at most `most` bytes a request, and commits. May be called again after try_later,
  /// too_large and a TransferError: it asks how far the registry is and goes on there.
  UploadOutcome send_rest(std::uint64_t most);
  std::uint64_t taken() const noexcept { return m_taken; }          ///< bytes
  std::uint64_t under_way() const noexcept { return m_under_way; }  ///< bytes of the latest chunk

 private:
  std::unique_ptr<http::Response> ask_for_place(std::optional<std::size_t> most_repeats);
  bool take_up(http::Response& status);
  void warn_of_begin(std::string_view why) const;
  std::optional<UploadOutcome> find_place();
  void follow(const http::ResponseHead& head);
  UploadOutcome send_chunk(std::uint64_t size);
  std::uint64_t next_chunk(std::uint64_t most) const;
  void keep_pace(std::uint64_t sent, task::Clock::Duration time);
  void advance_to(std::uint64_t taken);
  void keep_record();

  HostSession& m_host;
  const std::string& m_path;
  UploadSession m_session;
  OutgoingBlob& m_blob;
  KeptUpload* m_record;
  std::unique_ptr<ChunkBytes> m_bytes;
  std::uint64_t m_taken = 0;      // bytes
  std::uint64_t m_under_way = 0;  // bytes of the latest chunk
  std::uint64_t m_pace;           // bytes of a chunk that is long enough
  bool m_in_doubt = false;        // whether the latest request was carried out
};

/// How far the registry says that a session is; nothing when it does not have it.
std::optional<std::uint64_t> bytes_taken(HostSession& host, const std::string& path,
                                         const UploadSession& session);

}  // namespace airgap::registry
