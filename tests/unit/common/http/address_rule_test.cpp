#include "common/http/address_rule.hpp"

#include <doctest/doctest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

namespace airgap::http {

TEST_CASE("addresses inside are told from public ones") {
  for (const char* inside : {"127.0.0.1",
                             "127.255.255.254",
                             "0.0.0.0",
                             "10.0.0.1",
                             "10.255.255.255",
                             "172.16.0.1",
                             "172.31.255.255",
                             "192.168.0.1",
                             "169.254.169.254",
                             "100.64.0.1",
                             "100.127.255.255",
                             "198.19.0.1",
                             "224.0.0.1",
                             "239.255.255.255",
                             "255.255.255.255",
                             "::",
                             "::1",
                             "fe80::1",
                             "fec0::1",
                             "fc00::1",
                             "fd12:3456::1",
                             "ff02::1",
                             "::ffff:127.0.0.1",
                             "::ffff:10.1.2.3",
                             "::127.0.0.1",
                             "64:ff9b::10.0.0.1",
                             "64:ff9b:1::1",
                             "2002:7f00:1::",
                             "2002:a00:1::1",
                             "2002:c0a8:101::1",
                             "2001::1"}) {
    CAPTURE(inside);
    CHECK_FALSE(is_public_or_name(inside));
  }
  for (const char* outside :
       {"1.1.1.1", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "172.15.0.1", "172.32.0.1",
        "192.167.1.1", "169.253.1.1", "223.255.255.255", "2606:4700::1111", "2a00:1450::1", "::ffff:8.8.8.8",
        "64:ff9b::8.8.8.8", "2002:808:808::1"}) {
    CAPTURE(outside);
    CHECK(is_public_or_name(outside));
  }
}

TEST_CASE("a name is judged when its address is known, not before") {
  CHECK(is_public_or_name("localhost"));
  CHECK(is_public_or_name("10.0.0.1.example"));
}

TEST_CASE("socket addresses are judged by family and printed without the port") {
  sockaddr_in v4{};
  v4.sin_family = AF_INET;
  v4.sin_addr.s_addr = htonl(0x0a000001);
  CHECK_FALSE(is_public_address(reinterpret_cast<const sockaddr&>(v4)));
  CHECK(address_text(reinterpret_cast<const sockaddr&>(v4)) == "10.0.0.1");
  v4.sin_addr.s_addr = htonl(0x08080808);
  CHECK(is_public_address(reinterpret_cast<const sockaddr&>(v4)));
  sockaddr_in6 v6{};
  v6.sin6_family = AF_INET6;
  v6.sin6_addr = in6addr_loopback;
  CHECK_FALSE(is_public_address(reinterpret_cast<const sockaddr&>(v6)));
  CHECK(address_text(reinterpret_cast<const sockaddr&>(v6)) == "::1");
  sockaddr_un local{};
  local.sun_family = AF_UNIX;
  CHECK_FALSE(is_public_address(reinterpret_cast<const sockaddr&>(local)));
}

}  // namespace airgap::http
