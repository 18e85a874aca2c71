#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "common/hash/digest.hpp"

namespace airgap::registry {

struct UploadKey {
  std::string origin;  ///< of the registry's API
  std::string repository;
  hash::Digest digest;
  std::uint64_t size = 0;  ///< bytes, of the blob
};

/// How far an upload is. The location may be all that it takes to write there: it goes into no message.
struct UploadState {
  std::string location;
  std::uint64_t taken = 0;      ///< bytes
  std::uint64_t min_chunk = 0;  ///< bytes, OCI-Chunk-Min-Length; 0 when not said

  friend bool operator==(const UploadState&, const UploadState&) = default;
};

/// The record of one upload; no other run uses it while this lives. Used by one thread.
class KeptUpload {
 public:
  virtual ~KeptUpload() = default;
  /// What an earlier run left, not checked but for its form: it may have been written by anybody.
  virtual std::optional<UploadState> left() const = 0;
  /// For a later run. What cannot be kept is not.
  virtual void keep(const UploadState& state) noexcept = 0;
  virtual void forget() noexcept = 0;
};

/// Uploads that a later run may go on with.
class KeptUploads {
 public:
  virtual ~KeptUploads() = default;
  /// Null when another run has it, or where nothing can be kept. Safe from any thread.
  virtual std::unique_ptr<KeptUpload> claim(const UploadKey& key) noexcept = 0;
};

}  // namespace airgap::registry
