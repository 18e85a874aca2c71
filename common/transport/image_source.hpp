#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "common/diag/error.hpp"
#include "common/image/descriptor.hpp"
#include "common/io/stream.hpp"

namespace airgap::transport {

/// Opens the bytes of one blob from `offset` (bytes) to the end; called again for each attempt. The bytes are
/// not verified: who stores or sends them checks size and digest.
using BlobOpener = std::function<std::unique_ptr<io::Source>(std::uint64_t offset)>;

/// How often an opener gives the same bytes.
enum class Reread {
  always,
  beginning,  ///< it reads a pipe: PassedBy once more than the first k_held bytes were read
};
/// Bytes of a blob that such an opener holds.
inline constexpr std::uint64_t k_held = std::uint64_t{16} << 20;

/// The bytes were read from a pipe, which cannot go back.
class PassedBy : public diag::NetworkError {
 public:
  using KindError::KindError;
};

/// Where the documents and blobs of one image come from: a repository of a registry, or a bundle.
/// Safe from several threads.
class ImageSource {
 public:
  virtual ~ImageSource() = default;
  /// The exact bytes of a manifest or index, verified against digest and size (0: size not known) and within
  /// the limit for manifests. Throws NetworkError when it is not there, DigestMismatch, UnsafeError.
  virtual std::string read_manifest(const image::Descriptor& wanted) = 0;
  /// The bytes of a blob from `offset`, not verified.
  virtual std::unique_ptr<io::Source> open_blob(const image::Descriptor& blob, std::uint64_t offset) = 0;
};

}  // namespace airgap::transport
