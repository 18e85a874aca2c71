#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "common/image/descriptor.hpp"
#include "common/registry/host_session.hpp"
#include "common/registry/kept_uploads.hpp"

namespace airgap::registry {

/// Where a registry takes the bytes of one upload. The location changes with each answer.
struct UploadSession {
  http::Url location;
  std::uint64_t min_chunk = 0;  ///< bytes, OCI-Chunk-Min-Length; 0 when not said
};

Asked asked_to_push(const HostSession& host, const std::string& path, const image::Descriptor& blob);

/// POST; throws when there is none to be had (R67, R81-R83).
UploadSession start_upload(HostSession& host, const std::string& path, const image::Descriptor& blob);

/// The session of an earlier run's record. Nothing unless it is at the registry's own origin: who can write
/// the record shall not say where bytes go.
std::optional<UploadSession> kept_session(HostSession& host, const UploadState& state);

/// POST with mount and from. True: the blob is there. Else a session that was opened instead is kept in the
/// host session for the upload that follows (R69).
bool mount_blob(HostSession& host, const std::string& path, const hash::Digest& digest,
                const std::string& from);

/// The Location of an answer, resolved (R68). Throws NetworkError when it is missing, UnsafeError where it
/// leads from https to http.
http::Url next_location(const HostSession& host, const http::ResponseHead& head);

}  // namespace airgap::registry
