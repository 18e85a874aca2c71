#include "common/http/proxy_choice.hpp"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <cstdlib>

#include "common/diag/error.hpp"
#include "common/raii/c_handle.hpp"
#include "common/text/escape.hpp"

namespace airgap::http {
namespace {

struct Setting {
  std::string name;
  std::string value;
};

Setting first_set(const Environment& environment, std::initializer_list<const char*> names) {
  for (const char* name : names) {
    if (std::string value = environment(name); !value.empty()) return {name, std::move(value)};
  }
  return {};
}

std::string part(CURLU* url, CURLUPart which, unsigned flags = 0) {
  char* raw = nullptr;
  const CURLUcode code = curl_url_get(url, which, &raw, flags);
  const raii::CHandle<char, curl_free> owned(raw);
  return code == CURLUE_OK ? std::string(raw) : std::string();
}

Proxy parse_proxy(const Setting& setting) {
  const bool bare = setting.value.find("://") == std::string::npos;
  Proxy proxy{(bare ? "http://" : "") + setting.value, {}};
  const raii::CHandle<CURLU, curl_url_cleanup> handle(curl_url());
  if (!handle) throw std::bad_alloc();
  if (curl_url_set(handle.get(), CURLUPART_URL, proxy.url.c_str(), CURLU_NON_SUPPORT_SCHEME) != CURLUE_OK) {
    throw diag::UsageError(fmt::format("the environment variable {} holds no valid proxy URL", setting.name));
  }
  const std::string scheme = part(handle.get(), CURLUPART_SCHEME);
  constexpr std::array<std::string_view, 4> k_schemes{"http", "https", "socks5", "socks5h"};
  if (std::find(k_schemes.begin(), k_schemes.end(), scheme) == k_schemes.end()) {
    throw diag::UsageError(fmt::format("the environment variable {} names a proxy with the scheme \"{}\"",
                                       setting.name, text::escape(scheme, 40)),
                           "proxies may be http, https, socks5 or socks5h");
  }
  const std::string port = part(handle.get(), CURLUPART_PORT);
  proxy.shown = text::escape(part(handle.get(), CURLUPART_HOST), 100) + (port.empty() ? "" : ":" + port);
  return proxy;
}

using Address = std::array<std::uint8_t, 16>;

/// The bytes of a numeric address, and how many they are; 0 for a name.
std::size_t parse_address(const std::string& text, Address& bytes) {
  if (inet_pton(AF_INET, text.c_str(), bytes.data()) == 1) return 4;
  if (inet_pton(AF_INET6, text.c_str(), bytes.data()) == 1) return 16;
  return 0;
}

bool in_network(const std::string& host, std::string_view network) {
  const auto slash = network.find('/');
  Address address{};
  Address base{};
  const std::size_t size = parse_address(host, address);
  if (size == 0 || size != parse_address(std::string(network.substr(0, slash)), base)) return false;
  std::size_t bits = size * 8;
  if (slash != std::string_view::npos) {
    const auto digits = network.substr(slash + 1);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), bits);
    if (error != std::errc() || end != digits.data() + digits.size() || bits > size * 8) return false;
  }
  const std::size_t whole = bits / 8;
  if (!std::equal(address.begin(), address.begin() + static_cast<std::ptrdiff_t>(whole), base.begin()))
    return false;
  return bits % 8 == 0 || ((address[whole] ^ base[whole]) >> (8 - bits % 8)) == 0;
}

bool names(const Origin& origin, std::string entry) {
  std::transform(entry.begin(), entry.end(), entry.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  if (in_network(origin.host, entry)) return true;
  if (const auto colon = entry.rfind(':');
      colon != std::string::npos && entry.find(']', colon) == std::string::npos) {
    const bool one = entry.find(':') == colon || entry[colon - 1] == ']';
    if (one) {
      if (entry.substr(colon + 1) != std::to_string(origin.port)) return false;
      entry.resize(colon);
    }
  }
  if (entry.starts_with('[') && entry.ends_with(']')) entry = entry.substr(1, entry.size() - 2);
  if (in_network(origin.host, entry)) return true;
  const auto begin = entry.find_first_not_of('.');
  if (begin == std::string::npos) return false;
  entry.erase(0, begin);
  return origin.host == entry || origin.host.ends_with("." + entry);
}

}  // namespace

std::string process_environment(const char* name) {
  const char* value =
      std::getenv(name);  // NOLINT(concurrency-mt-unsafe): nothing here changes the environment
  return value == nullptr ? std::string() : std::string(value);
}

bool is_exempt(const Origin& origin, std::string_view no_proxy) {
  if (no_proxy == "*") return true;
  for (std::size_t begin = 0; begin < no_proxy.size();) {
    const std::size_t end = std::min(no_proxy.find_first_of(", ", begin), no_proxy.size());
    if (end > begin && names(origin, std::string(no_proxy.substr(begin, end - begin)))) return true;
    begin = end + 1;
  }
  return false;
}

std::optional<Proxy> proxy_for(const Origin& origin, const Environment& environment) {
  const bool cgi = !environment("REQUEST_METHOD").empty();
  const Setting setting =
      origin.scheme == "https"
          ? first_set(environment, {"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"})
          : first_set(environment,
                      {"http_proxy", cgi ? "http_proxy" : "HTTP_PROXY", "all_proxy", "ALL_PROXY"});
  if (setting.value.empty()) return std::nullopt;
  if (is_exempt(origin, first_set(environment, {"no_proxy", "NO_PROXY"}).value)) return std::nullopt;
  return parse_proxy(setting);
}

}  // namespace airgap::http
