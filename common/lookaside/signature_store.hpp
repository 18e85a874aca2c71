#pragma once

#include <map>
#include <string>
#include <vector>

#include "common/hash/digest.hpp"
#include "common/http/client.hpp"
#include "common/http/redirecting_client.hpp"
#include "common/lookaside/lookaside_conf.hpp"

namespace airgap::lookaside {

inline constexpr std::size_t k_max_signatures = 128;  ///< of one manifest, as in skopeo
inline constexpr std::size_t k_max_signature = std::size_t{4} * 1024 * 1024;  ///< bytes, likewise

/// Reads signatures: URL/REPOSITORY@ALGORITHM=HEX/signature-N, N from 1 to the last that is there; http,
/// https and file. What they say is not looked at. Thread-safe.
class SignatureReader {
 public:
  /// `conf` and `client` are borrowed. `origins` knows the TLS settings of hosts.
  SignatureReader(const LookasideConf& conf, http::Client& client, http::OriginLookup origins);

  /// Those of one manifest of the image; none where registries.d names no place. Throws UsageError for a URL
  /// of another scheme, NetworkError, StorageError, UnsafeError above the limits.
  std::vector<std::string> read(const image::Reference& name, const hash::Digest& manifest) const;

 private:
  std::optional<std::string> fetch(const std::string& url) const;

  const LookasideConf& m_conf;
  http::Client& m_client;
  http::OriginLookup m_origins;
};

/// The directory that `url` names. Throws UsageError unless it is file:///ABSOLUTE.
std::string directory_of_url(const std::string& url);

/// Writes those of one manifest below a directory, and removes higher numbers that are there.
void write_signatures(const std::string& directory, const image::Reference& name,
                      const hash::Digest& manifest, const std::vector<std::string>& signatures);

}  // namespace airgap::lookaside
