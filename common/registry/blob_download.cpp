#include "common/registry/blob_download.hpp"

#include <fmt/format.h>

#include <utility>

#include "common/diag/log.hpp"
#include "common/registry/endpoints.hpp"
#include "common/registry/reply.hpp"
#include "common/registry/resuming_source.hpp"
#include "common/text/escape.hpp"

namespace airgap::registry {
namespace {

std::string shown_name(const std::string& path, const hash::Digest& digest) {
  return fmt::format("blob {} of {}", digest.str(), path);
}

Asked asked_to_read(const HostSession& host, const std::string& path, const hash::Digest& digest) {
  return {.registry = host.registry(), .repository = path, .subject = shown_name(path, digest)};
}

void set_range(http::Request& request, std::uint64_t from) {
  if (from != 0) request.headers.set("Range", fmt::format("bytes={}-", from));
}

// A login page has another size and says that it is one (R19).
void refuse_page_for_blob(const HostSession& host, http::Response& response, std::uint64_t size) {
  if (response.status() == 200 && response.head().content_length != size)
    refuse_web_page(host.registry(), response);
}

bool is_body_or_range(int status) {
  return status == 200 || status == 206 || status == 416;
}

std::unique_ptr<http::Response> get_blob(HostSession& host, const std::string& path,
                                         const hash::Digest& digest, std::uint64_t from) {
  http::Request request = host.request(http::Method::get, blob_url(host.origin(), path, digest));
  set_range(request, from);
  if (host.parts().options.sends_on) request.grace = k_stop_grace;
  return host.send(std::move(request), host.read_access(path));
}

// A foreign layer's own address: never with credentials, https only, and public (R50).
std::unique_ptr<http::Response> get_foreign(HostSession& host, const std::string& text, std::uint64_t from) {
  const http::Url url = http::Url::parse(text);
  if (url.origin().scheme != "https") {
    throw diag::UnsafeError(fmt::format("the layer's address {} is not https", url.origin().str()));
  }
  const http::OriginSettings settings = host.parts().lookup(url.origin());
  http::Request request{.url = url};
  request.tls = settings.tls;
  request.addresses = settings.named ? http::AddressRule::any : http::AddressRule::public_only;
  set_range(request, from);
  return host.parts().transport.send(request);
}

/// Finds a blob in the registry, and a foreign layer where its urls say, the first that works.
class BlobRequest {
 public:
  BlobRequest(HostSession& host, std::string path, const image::Descriptor& blob)
      : m_host(host), m_path(std::move(path)), m_blob(blob) {}

  std::unique_ptr<http::Response> operator()(std::uint64_t from) {
    if (!m_foreign) {
      auto response = get_blob(m_host, m_path, m_blob.digest, from);
      if (is_body_or_range(response->status())) {
        refuse_page_for_blob(m_host, *response, m_blob.size);
        return response;
      }
      const Refusal refusal = read_refusal(*response);
      if (refusal.status != 404 || m_blob.urls.empty()) {
        throw_refusal(refusal, asked_to_read(m_host, m_path, m_blob.digest));
      }
      m_foreign = true;
    }
    return elsewhere(from);
  }

 private:
  std::unique_ptr<http::Response> elsewhere(std::uint64_t from) const {
    std::string reasons;
    for (const std::string& url : m_blob.urls) {
      try {
        auto response = get_foreign(m_host, url, from);
        if (is_body_or_range(response->status())) return response;
        reasons += fmt::format("; {}: status {}", response->head().url.origin().str(), response->status());
      } catch (const diag::NetworkError& error) {
        reasons += "; " + error.message();
      } catch (const diag::UnsafeError& error) {
        reasons += "; " + error.message();
      }
    }
    throw diag::NetworkError(
        fmt::format("{} is a foreign layer that {} does not have, and its own addresses fail{}",
                    shown_name(m_path, m_blob.digest), m_host.registry(), text::escape(reasons, 600)));
  }

  HostSession& m_host;
  std::string m_path;
  image::Descriptor m_blob;
  bool m_foreign = false;
};

bool wants_get(int status) {
  return status == 400 || status == 403 || status == 405 || status == 412 || status == 501;
}

}  // namespace

std::unique_ptr<io::Source> open_blob(HostSession& host, const std::string& path,
                                      const image::Descriptor& blob, std::uint64_t offset) {
  Download download;
  download.request = BlobRequest(host, path, blob);
  download.warn_once = [&host](const std::string& text) { host.warn_once(text); };
  download.subject = shown_name(path, blob.digest);
  download.size = blob.size;
  download.retry = host.retry();
  download.stop = host.parts().options.stop;
  return std::make_unique<ResumingSource>(std::move(download), host.parts().clock, offset);
}

bool has_blob(HostSession& host, const std::string& path, const hash::Digest& digest) {
  http::Request request = host.request(http::Method::head, blob_url(host.origin(), path, digest));
  auto response = host.send(std::move(request), host.read_access(path));
  // Storage behind a redirect may have signed its URL for GET alone. The body of the GET is not read.
  if (wants_get(response->status())) response = get_blob(host, path, digest, 0);
  if (response->status() == 200) {
    refuse_web_page(host.registry(), *response);
    host.require_registry();
    return true;
  }
  const Refusal refusal = read_refusal(*response);
  if (refusal.status == 404) return false;
  throw_refusal(refusal, asked_to_read(host, path, digest));
}

}  // namespace airgap::registry
