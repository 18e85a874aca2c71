#include "common/registry/host_config.hpp"

#include "common/registry/endpoints.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/unit/common/registry/registry_fixture.hpp"

namespace airgap::registry {
namespace {

using test::TempDir;

TEST_CASE("a trusted host is named, and verified as ever") {
  HostRules rules;
  rules.trusted = {"auth.example:8443"};
  const HostConfig config = host_config(rules, "auth.example:8443");
  CHECK(config.named);
  CHECK(config.tls->verify);
  CHECK(!config.plain_http_only);
  CHECK(!config.may_fall_back_to_http);
  CHECK(!host_config(rules, "auth.example").named);
}

TEST_CASE("only named hosts, port included, are insecure or plain") {
  const HostRules rules{.insecure = {"a.example", "docker.io"},
                        .plain_http = {"b.example:5000"},
                        .cert_dir = {},
                        .cert_roots = {}};
  const HostConfig a = host_config(rules, "a.example");
  CHECK(!a.tls->verify);
  CHECK(a.may_fall_back_to_http);
  CHECK(!a.plain_http_only);
  CHECK(a.named);
  CHECK(host_config(rules, "B.example:5000").plain_http_only);
  CHECK(!host_config(rules, "registry-1.docker.io").tls->verify);
  for (const char* other : {"a.example:5000", "b.example", "x.a.example", "b.example:5001"}) {
    CAPTURE(other);
    CHECK(host_config(rules, other).tls->verify);
    CHECK(!host_config(rules, other).named);
  }
}

TEST_CASE("a host that must be verified is so whatever else is said of it") {
  const HostRules rules{.insecure = {"a.example", "b.example"},
                        .plain_http = {"a.example"},
                        .cert_dir = {},
                        .cert_roots = {},
                        .verified = {"a.example"}};
  const HostConfig a = host_config(rules, "a.example");
  CHECK(a.tls->verify);
  CHECK(!a.plain_http_only);
  CHECK(!a.may_fall_back_to_http);
  CHECK(!host_config(rules, "b.example").tls->verify);
}

TEST_CASE("a host's own certificates replace those for all, and no other host sees them") {
  const TempDir dir;
  dir.write("all/ca.crt", "1");
  dir.write("hub/x.cert", "2");
  dir.write("hub/x.key", "3");
  const HostRules rules{.insecure = {},
                        .plain_http = {},
                        .cert_dir = dir.path("all"),
                        .cert_roots = {},
                        .cert_dirs = {{"docker.io", dir.path("hub")}}};
  for (const char* host : {"docker.io", "registry-1.docker.io"}) {
    const auto tls = host_config(rules, host).tls;
    CHECK(tls->ca_files.empty());
    CHECK(tls->client_certificate == dir.path("hub/x.cert"));
  }
  CHECK(host_config(rules, "quay.io").tls->ca_files.size() == 1);
  CHECK(host_config(rules, "quay.io").tls->client_certificate.empty());
  CHECK(origin_lookup(rules)(origin_of("https", "cdn.docker.io")).tls->client_certificate.empty());
}

TEST_CASE("the first certs.d directory of a host is used, and it alone") {
  const TempDir dir;
  dir.write("one/reg:5000/ca.crt", "1");
  dir.write("two/reg:5000/other.crt", "2");
  dir.write("two/reg/x.cert", "3");
  dir.write("two/reg/x.key", "4");
  const HostRules rules{.insecure = {},
                        .plain_http = {},
                        .cert_dir = {},
                        .cert_roots = {dir.path("none"), dir.path("one"), dir.path("two")}};
  const auto with_port = host_config(rules, "reg:5000").tls;
  CHECK(with_port->ca_files == std::vector<std::string>{dir.path("one/reg:5000/ca.crt")});
  CHECK(with_port->client_certificate.empty());
  const auto without = host_config(rules, "reg").tls;
  CHECK(without->ca_files.empty());
  CHECK(without->client_certificate == dir.path("two/reg/x.cert"));
  CHECK(without->client_key == dir.path("two/reg/x.key"));
}

TEST_CASE("half a client certificate is refused") {
  for (const char* half : {"x.cert", "x.key"}) {
    const TempDir dir;
    dir.write(half, "1");
    const HostRules rules{.insecure = {}, .plain_http = {}, .cert_dir = dir.path(), .cert_roots = {}};
    CHECK_THROWS_AS(host_config(rules, "reg"), diag::UsageError);
  }
}

TEST_CASE("other origins trust the authorities of --cert-dir but are not shown its client certificate") {
  const TempDir dir;
  dir.write("ca.crt", "1");
  dir.write("x.cert", "2");
  dir.write("x.key", "3");
  const auto lookup = origin_lookup(
      {.insecure = {"s3.example:9000"}, .plain_http = {}, .cert_dir = dir.path(), .cert_roots = {}});
  const auto other = lookup(origin_of("https", "cdn.example"));
  CHECK(other.tls->ca_files.size() == 1);
  CHECK(other.tls->client_certificate.empty());
  CHECK(!other.named);
  CHECK(!other.allow_plain_http);
  const auto named = lookup(origin_of("http", "s3.example:9000"));
  CHECK(named.named);
  CHECK(named.allow_plain_http);
  CHECK(lookup(origin_of("https", "cdn.example")).tls == other.tls);
}

TEST_CASE("hosts are written back as in image names") {
  for (const char* host : {"reg", "reg:5000", "[::1]:5000", "[2001:db8::1]"}) {
    CHECK(host_of(origin_of("https", host)) == host);
  }
  CHECK(host_of(origin_of("https", "reg:443")) == "reg");
  CHECK(api_host("docker.io") == "registry-1.docker.io");
  CHECK(api_host("quay.io") == "quay.io");
}

TEST_CASE("requests are addressed as the distribution specification says") {
  const http::Origin origin = origin_of("https", "reg:5000");
  const hash::Digest digest = hash::sha256_of("");
  CHECK(base_url(origin).str() == "https://reg:5000/v2/");
  CHECK(manifest_url(origin, "a/b", "1.0").str() == "https://reg:5000/v2/a/b/manifests/1.0");
  CHECK(blob_url(origin, "a", digest).str() == "https://reg:5000/v2/a/blobs/" + digest.str());
  CHECK(uploads_url(origin, "a").str() == "https://reg:5000/v2/a/blobs/uploads/");
  CHECK(mount_url(origin, "a", digest, "c/d").str() ==
        "https://reg:5000/v2/a/blobs/uploads/?mount=sha256%3A" + digest.hex() + "&from=c%2Fd");
  CHECK(tags_url(origin, "a").str() == "https://reg:5000/v2/a/tags/list");
  CHECK(referrers_url(origin, "a", digest).str() == "https://reg:5000/v2/a/referrers/" + digest.str());
}

}  // namespace
}  // namespace airgap::registry
