#include "common/http/url.hpp"

#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <vector>

#include "common/diag/error.hpp"
#include "common/raii/c_handle.hpp"
#include "common/text/escape.hpp"

namespace airgap::http {
namespace {

using UrlHandle = raii::CHandle<CURLU, curl_url_cleanup>;
using CurlText = raii::CHandle<char, curl_free>;

constexpr std::size_t k_max_url = std::size_t{16} * 1024;  // bytes; presigned URLs have a few thousand

/// A URL for a message: no query (signatures live there) and no user or password.
std::string shown(std::string_view text) {
  text = text.substr(0, text.find_first_of("?#"));
  const auto at = text.rfind('@');
  if (at == std::string_view::npos) return text::escape(text);
  return "***" + text::escape(text.substr(at));
}

[[noreturn]] void refuse(std::string_view text, std::string_view why) {
  throw diag::UnsafeError(fmt::format("the URL \"{}\" {}", shown(text), why));
}

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_letter(char c) {
  return lower(c) >= 'a' && lower(c) <= 'z';
}

bool has_scheme(std::string_view text) {
  if (text.empty() || !is_letter(text.front())) return false;
  const auto end = std::find_if_not(text.begin(), text.end(), [](char c) {
    return is_letter(c) || is_digit(c) || c == '+' || c == '-' || c == '.';
  });
  return end != text.end() && *end == ':';
}

/// Length of a leading "https://" or "http://" of any case, else 0.
std::size_t web_scheme(std::string_view text) {
  for (const std::string_view scheme : {std::string_view("https://"), std::string_view("http://")}) {
    const auto front = text.substr(0, scheme.size());
    if (std::equal(front.begin(), front.end(), scheme.begin(), scheme.end(),
                   [](char a, char b) { return lower(a) == b; })) {
      return scheme.size();
    }
  }
  return 0;
}

void check_form(std::string_view text) {
  if (text.size() > k_max_url) refuse(text, fmt::format("is longer than {} bytes", k_max_url));
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte <= 0x20 || byte == 0x7f || c == '\\') {
      refuse(text, "holds a space, a control character or a backslash");
    }
  }
  const std::size_t scheme = web_scheme(text);
  if (scheme == 0) refuse(text, "is neither https nor http");
  const auto authority = text.substr(scheme, text.find_first_of("/?#", scheme) - scheme);
  if (authority.empty()) refuse(text, "names no host");
  if (authority.find('@') != std::string_view::npos) refuse(text, "carries a user name or password");
  if (authority.find('%') != std::string_view::npos) refuse(text, "has a percent sign in its host");
}

std::string part(CURLU* url, CURLUPart which) {
  char* raw = nullptr;
  const CURLUcode code = curl_url_get(url, which, &raw, 0);
  const CurlText owned(raw);
  return code == CURLUE_OK ? std::string(raw) : std::string();
}

std::string host_of(CURLU* url, std::string_view text) {
  std::string host = part(url, CURLUPART_HOST);
  if (!host.empty() && host.front() == '[') host = host.substr(1, host.size() - 2);
  std::transform(host.begin(), host.end(), host.begin(), lower);
  const bool v6 = host.find(':') != std::string::npos;
  const auto plain = [v6](char c) {
    return is_letter(c) || is_digit(c) || c == '.' || (v6 ? c == ':' : c == '-' || c == '_');
  };
  if (host.empty() || !std::all_of(host.begin(), host.end(), plain)) refuse(text, "has a malformed host");
  return host;
}

std::uint16_t port_of(CURLU* url, std::string_view scheme, std::string_view text) {
  const std::string digits = part(url, CURLUPART_PORT);
  if (digits.empty()) return scheme == "https" ? 443 : 80;
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (error != std::errc() || end != digits.data() + digits.size() || port == 0) {
    refuse(text, "has a malformed port");
  }
  return port;
}

/// RFC 3986, 5.2.4, for the path of a relative reference; never climbs over the root.
std::string without_dots(std::string_view path) {
  std::vector<std::string_view> kept;
  for (std::size_t begin = 1; begin <= path.size();) {
    const std::size_t end = std::min(path.find('/', begin), path.size());
    const auto segment = path.substr(begin, end - begin);
    const bool last = end == path.size();
    if (segment == "..") {
      if (!kept.empty()) kept.pop_back();
    } else if (segment != ".") {
      kept.push_back(segment);
    }
    if (last && (segment == "." || segment == "..")) kept.emplace_back();
    begin = end + 1;
  }
  std::string result;
  for (const auto segment : kept) result.append("/").append(segment);
  return result.empty() ? "/" : result;
}

}  // namespace

std::string Origin::str() const {
  const bool usual = port == (scheme == "https" ? 443 : 80);
  const bool v6 = host.find(':') != std::string::npos;
  return fmt::format("{}://{}{}", scheme, v6 ? "[" + host + "]" : host,
                     usual ? std::string() : fmt::format(":{}", port));
}

Url Url::parse(std::string_view text) {
  check_form(text);
  const UrlHandle handle(curl_url());
  if (!handle) throw std::bad_alloc();
  const std::string copy(text);
  const CURLUcode code =
      curl_url_set(handle.get(), CURLUPART_URL, copy.c_str(), CURLU_PATH_AS_IS | CURLU_DISALLOW_USER);
  if (code != CURLUE_OK) refuse(text, fmt::format("is malformed: {}", curl_url_strerror(code)));
  if (!part(handle.get(), CURLUPART_ZONEID).empty()) refuse(text, "names a network interface");
  Url url;
  url.m_origin.scheme = web_scheme(text) == 8 ? "https" : "http";
  url.m_origin.host = host_of(handle.get(), text);
  url.m_origin.port = port_of(handle.get(), url.m_origin.scheme, text);
  url.m_path = part(handle.get(), CURLUPART_PATH);
  url.m_query = part(handle.get(), CURLUPART_QUERY);
  if (url.m_path.empty()) url.m_path = "/";
  return url;
}

Url Url::resolve(std::string_view reference) const {
  if (has_scheme(reference)) return parse(reference);
  const std::string ref(reference.substr(0, reference.find('#')));
  if (ref.empty()) return *this;
  if (ref.starts_with("//")) return parse(m_origin.scheme + ":" + ref);
  if (ref.front() == '/') return parse(m_origin.str() + ref);
  if (ref.front() == '?') return parse(m_origin.str() + m_path + ref);
  const std::size_t question = std::min(ref.find('?'), ref.size());
  const std::string folder = m_path.substr(0, m_path.rfind('/') + 1);
  return parse(m_origin.str() + without_dots(folder + ref.substr(0, question)) + ref.substr(question));
}

std::string Url::str() const {
  std::string text = m_origin.str() + m_path;
  if (!m_query.empty()) text += "?" + m_query;
  return text;
}

Url Url::with_parameter(std::string_view name, std::string_view value) const {
  Url url = *this;
  if (!url.m_query.empty()) url.m_query += '&';
  url.m_query.append(name).append("=").append(percent_encode(value));
  return url;
}

std::string percent_encode(std::string_view text) {
  constexpr std::string_view k_digits = "0123456789ABCDEF";
  std::string encoded;
  for (const char c : text) {
    if (is_letter(c) || is_digit(c) || c == '-' || c == '.' || c == '_' || c == '~') {
      encoded += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      encoded += {'%', k_digits[byte >> 4], k_digits[byte & 15]};
    }
  }
  return encoded;
}

}  // namespace airgap::http
