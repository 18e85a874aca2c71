#pragma once

#include <functional>
#include <memory>

#include "common/http/client.hpp"

namespace airgap::http {

/// What is known of an origin somebody else named: its TLS settings and whether it may be plain http.
struct OriginSettings {
  std::shared_ptr<const TlsSettings> tls{};
  bool allow_plain_http = false;
  bool named = false;  ///< the user named it: private addresses are allowed
};
using OriginLookup = std::function<OriginSettings(const Origin&)>;

/// Follows redirects: GET and HEAD only, five hops, each checked anew, never from
/// https to http, at another origin without Authorization and without any X- header, and to private addresses
/// only when the first origin's own address is private or the user named the host (R23-R28).
class RedirectingClient : public Client {
 public:
  /// `inner` is borrowed.
  RedirectingClient(Client& inner, OriginLookup lookup);
  std::unique_ptr<Response> send(const Request& request) override;

 private:
  Client& m_inner;
  OriginLookup m_lookup;
};

}  // namespace airgap::http
