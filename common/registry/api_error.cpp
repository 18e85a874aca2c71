#include "common/registry/api_error.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "common/json/reader.hpp"
#include "common/registry/limits.hpp"
#include "common/registry/reply.hpp"
#include "common/text/escape.hpp"

namespace airgap::registry {
namespace {

constexpr std::size_t k_max_items = 8;

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

// Servers end their lines; that is not worth an escape.
std::string_view without_line_end(std::string_view text) {
  return text.substr(0, text.find_last_not_of(" \r\n") + 1);
}

// {"errors":[{"code":...,"message":...}]}; anything else gives no items.
std::vector<Refusal::Item> parse_items(std::string_view body) {
  std::vector<Refusal::Item> items;
  try {
    const json::Document document = json::Document::parse(body);
    const auto errors = document.root().is_object() ? document.root().find("errors") : std::nullopt;
    if (!errors || !errors->is_array()) return items;
    for (const json::Node& error : errors->elements()) {
      if (items.size() == k_max_items) break;
      items.push_back(
          {error.optional_string("code").value_or(""), error.optional_string("message").value_or("")});
    }
  } catch (const diag::FormatError&) {
    return items;
  }
  return items;
}

std::string headline(const Refusal& refusal, const Asked& asked) {
  return fmt::format("{} refused {}: {}", asked.registry, asked.subject, refusal.str());
}

// A short time was waited for as often as --retry says; a long one is the operator's to wait for (R16, R17).
std::string advice_on_quota(const Refusal& refusal) {
  const std::string when =
      refusal.retry_after.empty()
          ? "the registry's rate limit is used up"
          : fmt::format(
                "the registry says Retry-After: {} (--max-wait SECONDS lets this program wait longer)",
                text::escape(refusal.retry_after, 40));
  return when +
         "; run the same command again later, and it goes on where it stopped (logging in often raises the "
         "limit)";
}

bool pushes(const Asked& asked) {
  return asked.action == Asked::Action::push_blob || asked.action == Asked::Action::push_manifest;
}

bool is_quota(const Refusal& refusal, const Asked& asked) {
  const bool status = refusal.status == 403 || refusal.status == 412 || refusal.status == 413 ||
                      refusal.status == 500 || refusal.status == 507;
  return pushes(asked) && status && refusal.mentions("quota");
}

void throw_if_quota(const Refusal& refusal, const Asked& asked) {
  if (!is_quota(refusal, asked)) return;
  throw QuotaExceeded(
      headline(refusal, asked),
      fmt::format("the project of {} is full; raise its quota, then run the same command again",
                  asked.repository));
}

const char* advice_on_rights(const Asked& asked) {
  if (asked.action == Asked::Action::remove) return "log in as a user who may delete there";
  return pushes(asked) ? "log in as a user who may push there, and check that the project exists"
                       : "check the name, and log in as a user who may pull it";
}

void throw_if_denied(const Refusal& refusal, const Asked& asked) {
  if (refusal.status != 401 && refusal.status != 403) return;
  throw diag::CredentialsError(fmt::format("{} answers {} for {}: missing or not permitted", asked.registry,
                                           refusal.str(), asked.subject),
                               advice_on_rights(asked));
}

void throw_if_missing(const Refusal& refusal, const Asked& asked) {
  if (refusal.status != 404) return;
  if (pushes(asked)) {
    throw diag::NetworkError(
        headline(refusal, asked),
        fmt::format("create the repository {} first, or push to a hosted repository if this one "
                    "is a proxy or a group",
                    asked.repository));
  }
  throw NotThere(fmt::format("{} does not have {}: {}", asked.registry, asked.subject, refusal.str()));
}

// R70, R78, R79: what a registry has against the manifest itself.
void throw_if_bad_manifest(const Refusal& refusal, const Asked& asked) {
  if (asked.action != Asked::Action::push_manifest) return;
  if (refusal.has("MANIFEST_BLOB_UNKNOWN") || refusal.has("BLOB_UNKNOWN") ||
      (refusal.status == 400 && refusal.has("MANIFEST_UNKNOWN"))) {
    throw MissingContent(headline(refusal, asked),
                         "run the same command again: what is missing is pushed again");
  }
  if (refusal.has("DIGEST_INVALID") && asked.subject.find("@sha512:") != std::string::npos) {
    throw diag::NetworkError(
        headline(refusal, asked),
        "this registry stores manifests by sha256 alone, as docker-registry 2 does: push this "
        "image to one that takes sha512");
  }
  const bool invalid =
      refusal.status == 415 ||
      (refusal.status == 400 && (refusal.has("MANIFEST_INVALID") || refusal.has("UNSUPPORTED")));
  const bool docker = asked.media_type.find("vnd.docker.") != std::string::npos;
  if (invalid && docker && asked.size <= k_max_manifest) {
    throw diag::NetworkError(
        fmt::format("{} refuses Docker media types ({}): {}", asked.registry, asked.media_type,
                    refusal.str()),
        "switch on docker compatibility in the registry; converting would change the digests");
  }
  if (refusal.status == 413 || invalid) {
    throw diag::NetworkError(fmt::format("{} (it has {} bytes)", headline(refusal, asked), asked.size),
                             "check the registry's limits on manifests and on request bodies");
  }
}

// What Go's servers and nginx say to plain http on a port that speaks TLS.
void throw_if_tls_is_spoken(const Refusal& refusal, const Asked& asked) {
  if (refusal.status != 400) return;
  if (!refusal.mentions("http request to an https server") &&
      !refusal.mentions("plain http request was sent to https port"))
    return;
  throw diag::NetworkError(
      fmt::format("{} speaks TLS, and was asked by plain http", asked.registry),
      fmt::format("leave out --plain-http {0}; where its certificate cannot be verified: "
                  "--insecure {0}",
                  asked.registry));
}

// R80: rules of the registry about tags. 405 UNSUPPORTED is how a read-only registry puts it (R83).
void throw_if_policy(const Refusal& refusal, const Asked& asked) {
  const int status = refusal.status;
  if (asked.action == Asked::Action::read && status == 412) {
    throw diag::CredentialsError(headline(refusal, asked), "a policy of the registry blocks this image");
  }
  if (asked.action == Asked::Action::remove && status == 405) {
    throw diag::NetworkError(headline(refusal, asked),
                             "deleting is switched off there: docker-registry needs storage.delete.enabled");
  }
  if (!pushes(asked)) return;
  if (status == 405 && (refusal.has("UNSUPPORTED") || asked.action == Asked::Action::push_blob)) {
    throw diag::NetworkError(
        headline(refusal, asked),
        "the registry is read-only, or a proxy or group: use the hosted repository; a rerun skips "
        "what is there");
  }
  if (status == 405 || status == 409 || status == 412) {
    throw diag::CredentialsError(headline(refusal, asked),
                                 "the tag is immutable or a policy of the registry forbids it");
  }
}

}  // namespace

bool Refusal::has(std::string_view code) const {
  return std::any_of(items.begin(), items.end(), [&](const Item& item) { return item.code == code; });
}

bool Refusal::mentions(std::string_view word) const {
  return std::search(body.begin(), body.end(), word.begin(), word.end(),
                     [](char a, char b) { return lower(a) == lower(b); }) != body.end();
}

std::string Refusal::str() const {
  if (web_page) return fmt::format("{} with a web page", status);
  if (items.empty() && body.empty()) return fmt::format("status {}", status);
  if (items.empty()) return fmt::format("{}: {}", status, text::escape(without_line_end(body), 80));
  const Item& first = items.front();
  return fmt::format("{} {}: {}", status, text::escape(first.code, 64), text::escape(first.message));
}

Refusal read_refusal(http::Response& response) {
  Refusal refusal{response.status(), {}, read_refusal_body(response), is_html(response.head())};
  refusal.retry_after = response.head().headers.find("Retry-After").value_or("");
  if (!refusal.web_page) refusal.items = parse_items(refusal.body);
  return refusal;
}

void throw_refusal(const Refusal& refusal, const Asked& asked) {
  if (refusal.status >= 200 && refusal.status < 300) throw_not_a_registry(asked.registry, refusal.body);
  throw_if_tls_is_spoken(refusal, asked);
  throw_if_quota(refusal, asked);
  throw_if_bad_manifest(refusal, asked);
  throw_if_policy(refusal, asked);
  throw_if_denied(refusal, asked);
  throw_if_missing(refusal, asked);
  if (refusal.status == 429) {
    throw diag::NetworkError(headline(refusal, asked), advice_on_quota(refusal));
  }
  if (refusal.status == 413) {
    throw diag::NetworkError(fmt::format("{} ({} bytes)", headline(refusal, asked), asked.size),
                             "raise the limit on request bodies in the registry or in the proxy before it");
  }
  throw diag::NetworkError(headline(refusal, asked));
}

void throw_refusal(http::Response& response, const Asked& asked) {
  throw_refusal(read_refusal(response), asked);
}

}  // namespace airgap::registry
