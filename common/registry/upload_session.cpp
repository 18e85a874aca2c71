#include "common/registry/upload_session.hpp"

#include <fmt/format.h>

#include <charconv>
#include <utility>

#include "common/registry/endpoints.hpp"
#include "common/registry/reply.hpp"

namespace airgap::registry {
namespace {

std::uint64_t min_chunk(const http::ResponseHead& head) {
  const std::string text = head.headers.find("OCI-Chunk-Min-Length").value_or("");
  std::uint64_t length = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), length);
  return error == std::errc() && end == text.data() + text.size() ? length : 0;
}

// Statuses that say that this registry does not mount at all, rather than not this blob.
bool mounts_never(int status) {
  return status == 400 || status == 405 || status == 415 || status == 501;
}

std::string session_key(const std::string& path, const hash::Digest& digest) {
  return path + "@" + digest.str();
}

}  // namespace

Asked asked_to_push(const HostSession& host, const std::string& path, const image::Descriptor& blob) {
  return {.action = Asked::Action::push_blob,
          .registry = host.registry(),
          .repository = path,
          .subject = fmt::format("blob {} of {}", blob.digest.str(), path),
          .size = blob.size};
}

http::Url next_location(const HostSession& host, const http::ResponseHead& head) {
  const auto location = head.headers.find("Location");
  if (!location) {
    throw diag::NetworkError(fmt::format("{} opened an upload without saying where (status {}, no Location)",
                                         host.registry(), head.status));
  }
  http::Url url = head.url.resolve(*location);
  if (head.url.origin().scheme == "https" && url.origin().scheme == "http") {
    throw diag::UnsafeError(
        fmt::format("{} wants the upload over plain http at {}", host.registry(), url.origin().str()),
        "a proxy before it hides that the connection is https: let it send X-Forwarded-Proto, or set "
        "http.host or "
        "http.relativeurls in the registry's configuration");
  }
  return url;
}

UploadSession start_upload(HostSession& host, const std::string& path, const image::Descriptor& blob) {
  if (const auto kept = host.take_upload(session_key(path, blob.digest))) return {*kept};
  http::Url url = uploads_url(host.origin(), path);
  const auto algorithm = blob.digest.algorithm();
  if (algorithm != hash::Algorithm::sha256)
    url = url.with_parameter("digest-algorithm", hash::name(algorithm));
  const auto response = host.send(host.request(http::Method::post, url), {path, true});
  refuse_web_page(host.registry(), *response);
  if (response->status() != 202 && response->status() != 201) {
    throw_refusal(*response, asked_to_push(host, path, blob));
  }
  drain(*response);
  return {next_location(host, response->head()), min_chunk(response->head())};
}

std::optional<UploadSession> kept_session(HostSession& host, const UploadState& state) {
  try {
    http::Url location = http::Url::parse(state.location);
    if (location.origin() != host.origin()) return std::nullopt;
    return UploadSession{std::move(location), state.min_chunk};
  } catch (const diag::UnsafeError&) {
    return std::nullopt;
  }
}

bool mount_blob(HostSession& host, const std::string& path, const hash::Digest& digest,
                const std::string& from) {
  if (host.learned().mount_refused) return false;
  http::Request request = host.request(http::Method::post, mount_url(host.origin(), path, digest, from));
  request.repeatable = false;  // an upload is the repeat
  try {
    const auto response = host.send(std::move(request), {path, true, from});
    drain(*response);
    const int status = response->status();
    if (status == 202 && response->head().headers.find("Location")) {
      host.keep_upload(session_key(path, digest), next_location(host, response->head()));
    }
    if (mounts_never(status)) host.learned().mount_refused = true;
    return status == 201 && !is_html(response->head());
  } catch (const http::TransferError&) {  // if it is serious, the upload will say so
    return false;
  } catch (const diag::CredentialsError&) {  // no right to read `from`
    return false;
  }
}

}  // namespace airgap::registry
