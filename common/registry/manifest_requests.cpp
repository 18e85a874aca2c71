#include "common/registry/manifest_requests.hpp"

#include <fmt/format.h>

#include <utility>

#include "common/hash/hasher.hpp"
#include "common/hash/verifying_source.hpp"
#include "common/image/manifest.hpp"
#include "common/image/media_type.hpp"
#include "common/registry/api_error.hpp"
#include "common/registry/endpoints.hpp"
#include "common/registry/limits.hpp"
#include "common/registry/reply.hpp"

namespace airgap::registry {
namespace {

constexpr int k_wrong_bytes_attempts = 2;  // a proxy's copy may be stale once (R4)

std::string shown_name(const std::string& path, std::string_view reference) {
  return fmt::format("manifest {}{}{}", path, reference.find(':') == std::string_view::npos ? ":" : "@",
                     reference);
}

Asked asked_to_read(const HostSession& host, const std::string& path, std::string_view reference) {
  return {.registry = host.registry(), .repository = path, .subject = shown_name(path, reference)};
}

std::optional<hash::Digest> as_digest(std::string_view reference) {
  if (reference.find(':') == std::string_view::npos) return std::nullopt;  // no tag holds one
  return hash::Digest::parse(reference);
}

// A digest that a header claims; one that is malformed or of another algorithm counts for nothing (R33, R35).
std::optional<hash::Digest> claimed_digest(const http::ResponseHead& head) {
  const auto value = head.headers.find("Docker-Content-Digest");
  if (!value) return std::nullopt;
  try {
    return hash::Digest::parse(*value);
  } catch (const diag::FormatError&) {
    return std::nullopt;
  }
}

std::string content_type(const http::ResponseHead& head) {
  return head.headers.find("Content-Type").value_or("");
}

std::unique_ptr<http::Response> ask(HostSession& host, http::Method method, const std::string& path,
                                    std::string_view reference, std::string_view more_types = {}) {
  http::Request request = host.request(method, manifest_url(host.origin(), path, reference));
  std::string accept(image::k_manifest_accept);
  if (image::is_valid_media_type(more_types)) accept.append(", ").append(more_types);
  request.headers.set("Accept", std::move(accept));
  return host.send(std::move(request), host.read_access(path));
}

struct Document {
  std::string bytes;
  http::ResponseHead head;
};

std::optional<Document> fetch(HostSession& host, const std::string& path, std::string_view reference,
                              std::string_view more_types = {}) {
  const auto response = ask(host, http::Method::get, path, reference, more_types);
  if (response->status() == 200) {
    refuse_web_page(host.registry(), *response);
    std::string bytes = read_body(*response, k_max_manifest, shown_name(path, reference));
    return Document{std::move(bytes), response->head()};
  }
  const Refusal refusal = read_refusal(*response);
  if (refusal.status == 404) return std::nullopt;
  throw_refusal(refusal, asked_to_read(host, path, reference));
}

// By digest: the bytes are those of the digest, or it throws (R34).
std::optional<Document> fetch_verified(HostSession& host, const std::string& path, const hash::Digest& digest,
                                       std::string_view more_types = {}) {
  for (int attempt = 1;; ++attempt) {
    auto document = fetch(host, path, digest.str(), more_types);
    if (!document) return std::nullopt;
    const hash::Digest actual = hash::digest_of(digest.algorithm(), document->bytes);
    if (actual == digest) return document;
    if (attempt == k_wrong_bytes_attempts) {
      throw hash::DigestMismatch(
          fmt::format("{} served wrong bytes for a manifest of {}: expected {}, found {}",
                      document->head.url.origin().str(), path, digest.str(), actual.str()));
    }
  }
}

bool looks_like_json(std::string_view bytes) {
  const std::size_t begin = bytes.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) return false;
  const char first = bytes[begin];
  return first != '<' && !(first >= 'A' && first <= 'Z') && !(first >= 'a' && first <= 'z');
}

image::ParsedManifest parse(const HostSession& host, const Document& document) {
  try {
    return image::parse_manifest(document.bytes, content_type(document.head), {});
  } catch (diag::UnsafeError& error) {
    const bool format = dynamic_cast<const diag::FormatError*>(&error) != nullptr;
    if (format && !looks_like_json(document.bytes)) throw_not_a_registry(host.registry(), document.bytes);
    error.add_context(fmt::format("reading the manifest that {} serves", document.head.url.origin().str()));
    if (error.hint().empty())
      error.set_hint("the image is broken in the registry; it has to be pushed again there");
    throw;
  }
}

// HEAD of something that is there. Nothing: it has to be got instead (R32, R33). By digest the type may be
// any, since only its being there is new.
std::optional<ManifestHead> read_head(const http::ResponseHead& head,
                                      const std::optional<hash::Digest>& digest) {
  const auto claimed = digest ? digest : claimed_digest(head);
  const std::string type = image::bare_media_type(content_type(head));
  if (!claimed || (!digest && !image::manifest_kind(type))) return std::nullopt;
  return ManifestHead{*claimed, type, head.content_length.value_or(0)};
}

bool refuses_head(int status) {
  return status == 400 || status == 405 || status == 501;
}

// Not found, a head, or neither: GET has to tell.
struct HeadOutcome {
  bool absent = false;
  std::optional<ManifestHead> head;
};

HeadOutcome try_head(HostSession& host, const std::string& path, std::string_view reference) {
  if (host.learned().head_refused) return {};
  try {
    const auto response = ask(host, http::Method::head, path, reference);
    const int status = response->status();
    if (status == 404) return {true, std::nullopt};
    if (status == 200) {
      if (is_html(response->head())) return {};           // GET shows what the page says
      if (as_digest(reference)) host.require_registry();  // it may say yes to everything (R66)
      return {false, read_head(response->head(), as_digest(reference))};
    }
    if (refuses_head(status)) host.learned().head_refused = true;
    if (refuses_head(status) || status == 401 || status == 403 || status == 412) return {};
    throw_refusal(*response, asked_to_read(host, path, reference));
  } catch (const AccessRefused&) {  // some registries let GET alone
    return {};
  }
}

bool points_to(HostSession& host, const std::string& path, std::string_view tag, std::string_view bytes) {
  try {
    const auto there = head_manifest(host, path, tag);
    return there && there->digest == hash::digest_of(there->digest.algorithm(), bytes);
  } catch (const diag::Error& error) {
    if (error.kind() == diag::ErrorKind::interrupted) throw;
    return false;
  }
}

bool may_be_immutable(int status) {
  return status == 403 || status == 405 || status == 409 || status == 412;
}

}  // namespace

std::optional<ManifestHead> head_manifest(HostSession& host, const std::string& path,
                                          std::string_view reference) {
  const HeadOutcome outcome = try_head(host, path, reference);
  if (outcome.absent) return std::nullopt;
  if (outcome.head) return outcome.head;
  const auto fetched = get_manifest(host, path, reference);
  if (!fetched) return std::nullopt;
  const image::Descriptor& descriptor = fetched->descriptor;
  return ManifestHead{descriptor.digest, descriptor.media_type, descriptor.size};
}

std::optional<FetchedManifest> get_manifest(HostSession& host, const std::string& path,
                                            std::string_view reference) {
  const auto wanted = as_digest(reference);
  auto document = wanted ? fetch_verified(host, path, *wanted) : fetch(host, path, reference);
  if (!document) return std::nullopt;
  std::string type = parse(host, *document).media_type;
  const hash::Digest digest = wanted ? *wanted : hash::sha256_of(document->bytes);
  const auto claimed = claimed_digest(document->head);
  if (!wanted && claimed && claimed->algorithm() == digest.algorithm() && *claimed != digest) {
    host.warn_once(fmt::format("{} gives a wrong digest for {}: its bytes are {}", host.registry(),
                               shown_name(path, reference), digest.str()));
  }
  const std::uint64_t size = document->bytes.size();
  return FetchedManifest{{.media_type = std::move(type), .digest = digest, .size = size},
                         std::move(document->bytes)};
}

std::string read_document(HostSession& host, const std::string& path, const image::Descriptor& wanted) {
  const std::string digest = wanted.digest.str();
  const bool known = image::manifest_kind(wanted.media_type).has_value();
  auto document = fetch_verified(host, path, wanted.digest, known ? std::string_view() : wanted.media_type);
  if (!document) {
    throw NotThere(fmt::format("{} has no {}", host.registry(), shown_name(path, digest)),
                   "it is named by another manifest; the image is incomplete in the registry");
  }
  if (wanted.size != 0 && document->bytes.size() != wanted.size) {
    throw hash::DigestMismatch(
        fmt::format("{} has {} bytes, and {} were declared", digest, document->bytes.size(), wanted.size));
  }
  return std::move(document->bytes);
}

void put_manifest(HostSession& host, const std::string& path, std::string_view reference,
                  std::string_view bytes, std::string_view media_type) {
  http::Request request = host.request(http::Method::put, manifest_url(host.origin(), path, reference));
  http::set_body(request, std::string(bytes), std::string(media_type));
  const auto response = host.send(std::move(request), {path, true});
  const int status = response->status();
  if (status >= 200 && status < 300 && !is_html(response->head())) {
    drain(*response);
    return;
  }
  const Refusal refusal = read_refusal(*response);
  if (!as_digest(reference) && may_be_immutable(status) && points_to(host, path, reference, bytes)) return;
  throw_refusal(refusal, {Asked::Action::push_manifest, host.registry(), path, shown_name(path, reference),
                          std::string(media_type), bytes.size()});
}

}  // namespace airgap::registry
