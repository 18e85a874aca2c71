#include "common/http/address_rule.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <span>

namespace airgap::http {
namespace {

struct Network4 {
  std::uint32_t base;
  unsigned prefix;
};

constexpr std::uint32_t v4(unsigned a, unsigned b, unsigned c, unsigned d) {
  return a << 24 | b << 16 | c << 8 | d;
}

// IANA IPv4 special-purpose registry, without the documentation networks.
constexpr std::array<Network4, 12> k_special4{{
    {v4(0, 0, 0, 0), 8},
    {v4(10, 0, 0, 0), 8},
    {v4(100, 64, 0, 0), 10},
    {v4(127, 0, 0, 0), 8},
    {v4(169, 254, 0, 0), 16},
    {v4(172, 16, 0, 0), 12},
    {v4(192, 0, 0, 0), 24},
    {v4(192, 88, 99, 0), 24},
    {v4(192, 168, 0, 0), 16},
    {v4(198, 18, 0, 0), 15},
    {v4(224, 0, 0, 0), 4},
    {v4(240, 0, 0, 0), 4},
}};

bool is_public4(std::uint32_t address) noexcept {
  return std::none_of(k_special4.begin(), k_special4.end(), [address](const Network4& network) {
    return (address ^ network.base) >> (32 - network.prefix) == 0;
  });
}

using Bytes6 = std::span<const std::uint8_t, 16>;

std::uint32_t embedded4(Bytes6 bytes, std::size_t at) noexcept {
  return v4(bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]);
}

bool starts_with(Bytes6 bytes, std::initializer_list<std::uint8_t> prefix) noexcept {
  return std::equal(prefix.begin(), prefix.end(), bytes.begin());
}

bool is_public6(Bytes6 bytes) noexcept {
  if (starts_with(bytes, {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}))
    return is_public4(embedded4(bytes, 12));  // mapped
  if (starts_with(bytes, {0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0}))
    return is_public4(embedded4(bytes, 12));                                     // NAT64
  if (starts_with(bytes, {0x20, 0x02})) return is_public4(embedded4(bytes, 2));  // 6to4
  if (starts_with(bytes, {0x20, 0x01, 0, 0})) return false;                      // Teredo
  return (bytes[0] & 0xe0) == 0x20;  // 2000::/3 is all that is assigned for global unicast
}

}  // namespace

bool is_public_address(const sockaddr& address) noexcept {
  if (address.sa_family == AF_INET) {
    sockaddr_in in{};
    std::memcpy(&in, &address, sizeof in);
    return is_public4(ntohl(in.sin_addr.s_addr));
  }
  if (address.sa_family == AF_INET6) {
    sockaddr_in6 in{};
    std::memcpy(&in, &address, sizeof in);
    return is_public6(Bytes6(in.sin6_addr.s6_addr));
  }
  return false;
}

bool is_public_or_name(std::string_view host) {
  const std::string text(host);
  in_addr in{};
  if (inet_pton(AF_INET, text.c_str(), &in) == 1) return is_public4(ntohl(in.s_addr));
  in6_addr in6{};
  if (inet_pton(AF_INET6, text.c_str(), &in6) == 1) return is_public6(Bytes6(in6.s6_addr));
  return true;
}

std::string address_text(const sockaddr& address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (address.sa_family == AF_INET) {
    sockaddr_in in{};
    std::memcpy(&in, &address, sizeof in);
    inet_ntop(AF_INET, &in.sin_addr, text.data(), text.size());
  } else if (address.sa_family == AF_INET6) {
    sockaddr_in6 in{};
    std::memcpy(&in, &address, sizeof in);
    inet_ntop(AF_INET6, &in.sin6_addr, text.data(), text.size());
  }
  return text.data();
}

std::string private_address_hint(const Origin& origin) {
  const std::string host = origin.str().substr(origin.scheme.size() + 3);
  return "a server pointed to it; if that is meant: --trust-host " + host;
}

}  // namespace airgap::http
