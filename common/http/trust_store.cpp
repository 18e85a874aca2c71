#include "common/http/trust_store.hpp"

#include <curl/curl.h>
#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/x509.h>

#include <new>

#include "common/diag/error.hpp"
#include "common/http/proxy_choice.hpp"
#include "common/text/escape.hpp"

namespace airgap::http {
namespace {

/// SSL_CERT_FILE and SSL_CERT_DIR where set, else what libcurl was built for.
void add_system(X509_STORE* store) {
  const curl_version_info_data* info = curl_version_info(CURLVERSION_NOW);
  const bool named =
      !process_environment("SSL_CERT_FILE").empty() || !process_environment("SSL_CERT_DIR").empty();
  bool added = false;
  if (!named && info->cainfo != nullptr) added = X509_STORE_load_file(store, info->cainfo) == 1;
  if (!named && info->capath != nullptr) added = X509_STORE_load_path(store, info->capath) == 1 || added;
  if (!added) X509_STORE_set_default_paths(store);
  ERR_clear_error();  // a system without authorities shows when a certificate is verified
}

}  // namespace

X509_STORE* TrustStores::with(const std::vector<std::string>& ca_files) {
  if (const auto known = m_stores.find(ca_files); known != m_stores.end()) return known->second.get();
  StoreHandle store(X509_STORE_new());
  if (!store) throw std::bad_alloc();
  X509_STORE_set_flags(store.get(), X509_V_FLAG_TRUSTED_FIRST | X509_V_FLAG_PARTIAL_CHAIN);  // as curl does
  add_system(store.get());
  for (const std::string& file : ca_files) {
    if (X509_STORE_load_file(store.get(), file.c_str()) == 1) continue;
    ERR_clear_error();
    throw diag::UsageError(fmt::format("cannot read certificate authorities from {}", text::escape(file)),
                           "a CA file holds certificates in PEM form");
  }
  return m_stores.emplace(ca_files, std::move(store)).first->second.get();
}

}  // namespace airgap::http
