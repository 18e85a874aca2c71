#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/http/url.hpp"
#include "common/io/stream.hpp"

namespace airgap::http {

enum class Method { get, head, post, put, patch, delete_ };
std::string_view name(Method method) noexcept;  ///< "GET"

/// Header fields in the order they came; names compare without case.
class Headers {
 public:
  void add(std::string name, std::string value) { m_fields.emplace_back(std::move(name), std::move(value)); }
  void set(std::string_view name, std::string value);  ///< replaces every field of that name
  void remove(std::string_view name);
  std::optional<std::string> find(std::string_view name) const;  ///< the first one
  std::vector<std::string> all(std::string_view name) const;
  const std::vector<std::pair<std::string, std::string>>& fields() const noexcept { return m_fields; }

 private:
  std::vector<std::pair<std::string, std::string>> m_fields;
};

/// How the TLS of one host is verified; shared between the requests to it.
struct TlsSettings {
  bool verify = true;
  std::vector<std::string> ca_files{};  ///< PEM files trusted beside the system's
  std::string client_certificate{};     ///< PEM file, empty for none
  std::string client_key{};
};

/// Which resolved addresses a connection may go to (R26). Checked on the address itself, not on the name.
enum class AddressRule {
  any,          ///< the origin was named by the user
  public_only,  ///< somebody else named it: no loopback, private, link-local or metadata address
};

struct Request {
  Method method = Method::get;
  Url url{};
  Headers headers{};
  std::shared_ptr<const TlsSettings> tls{};  ///< null: the defaults
  bool allow_plain_http = false;             ///< the url's host was named for plain http
  AddressRule addresses = AddressRule::any;
  /// False: sent once only, neither RetryingClient nor the transport repeats it. For requests that leave a
  /// state behind when they break half-way: the caller knows where to start over (PATCH and PUT of an
  /// upload).
  bool repeatable = true;
  /// Fewer repeats than the policy has, where another host may be asked instead.
  std::optional<std::size_t> most_repeats{};

  /// How long it may go on once a stop was asked for; it then ends with Interrupted, as others do at once.
  std::chrono::milliseconds grace{0};

  /// The body: opens it from its start, once for each attempt. Null for none.
  std::function<std::unique_ptr<io::Source>()> open_body{};
  std::uint64_t body_size = 0;  ///< in bytes; sent as Content-Length
};

/// A small body held in memory.
void set_body(Request& request, std::string bytes, std::string content_type);

struct ResponseHead {
  int status = 0;
  Headers headers;
  Url url;                                      ///< of the request that was answered, after redirects
  std::string remote_address;                   ///< numeric, empty through a proxy
  std::optional<std::uint64_t> content_length;  ///< empty when absent; two that differ are an error (R6)
};

}  // namespace airgap::http
