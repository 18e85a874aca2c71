#pragma once

#include <openssl/x509_vfy.h>

#include <map>
#include <string>
#include <vector>

#include "common/raii/c_handle.hpp"

namespace airgap::http {

/// The certificate authorities of the system and of each host's own files, loaded once and shared by all
/// connections: reading the system's bundle costs milliseconds and megabytes. Not safe from several threads.
class TrustStores {
 public:
  /// The store with these PEM files beside the system's. Valid as long as this object; its use is
  /// thread-safe. Throws UsageError for a file that cannot be read.
  X509_STORE* with(const std::vector<std::string>& ca_files);

 private:
  using StoreHandle = raii::CHandle<X509_STORE, X509_STORE_free>;
  std::map<std::vector<std::string>, StoreHandle> m_stores;
};

}  // namespace airgap::http
