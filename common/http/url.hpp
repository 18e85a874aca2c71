#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

namespace airgap::http {

/// Where credentials may go: scheme, host and port together (R11, R25).
struct Origin {
  std::string scheme;  ///< "https" or "http"
  std::string host;    ///< lower case; an IPv6 address without brackets
  std::uint16_t port = 0;

  std::string str() const;  ///< "https://host:port", the port left out where it is the scheme's own
  friend auto operator<=>(const Origin&, const Origin&) = default;
};

/// An absolute http or https URL without user name, password or fragment. Path and query keep their bytes.
class Url {
 public:
  /// Throws diag::UnsafeError for any other scheme, credentials in the URL, control characters or spaces
  /// (R24).
  static Url parse(std::string_view text);
  /// A Location, Link or realm relative to this URL: absolute, "//host/path", "/path", "path" or "?query"
  /// (R68).
  Url resolve(std::string_view reference) const;

  const Origin& origin() const noexcept { return m_origin; }
  const std::string& path() const noexcept { return m_path; }  ///< begins with '/'
  std::string str() const;

  /// Appends name=value to the query, the value percent-encoded.
  Url with_parameter(std::string_view name, std::string_view value) const;

  friend bool operator==(const Url&, const Url&) = default;

 private:
  Origin m_origin;
  std::string m_path;
  std::string m_query;  // without '?', may be empty
};

std::string percent_encode(std::string_view text);  ///< all but unreserved characters

}  // namespace airgap::http
