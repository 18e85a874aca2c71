#include "common/registry/authorizer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "common/http/address_rule.hpp"
#include "common/registry/endpoints.hpp"
#include "common/registry/reply.hpp"
#include "common/text/base64.hpp"
#include "common/text/escape.hpp"

namespace airgap::registry {
namespace {

constexpr std::size_t k_max_scope = 4096;  // bytes of a scope that a challenge names

std::string basic(const Credential& credential) {
  return "Basic " + text::to_base64(credential.username + ":" + credential.password);
}

std::string joined(const std::vector<std::string>& scopes) {
  return fmt::format("{}", fmt::join(scopes, " "));
}

std::set<std::string> split(std::string_view text, char separator) {
  std::set<std::string> parts;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(separator, begin), text.size());
    if (end > begin) parts.emplace(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

// "repository:a/b:pull" is within "repository:a/b:pull,push".
bool is_within(const std::string& scope, const std::string& wider) {
  const std::size_t colon = scope.rfind(':');
  if (colon == std::string::npos || wider.rfind(':') != colon) return scope == wider;
  if (scope.compare(0, colon, wider, 0, colon) != 0) return false;
  const auto all = split(std::string_view(wider).substr(colon + 1), ',');
  const auto some = split(std::string_view(scope).substr(colon + 1), ',');
  return std::includes(all.begin(), all.end(), some.begin(), some.end());
}

bool covers(const std::vector<std::string>& scopes, const std::string& wanted) {
  const auto parts = split(wanted, ' ');
  return std::all_of(parts.begin(), parts.end(), [&](const std::string& part) {
    return std::any_of(scopes.begin(), scopes.end(),
                       [&](const std::string& scope) { return is_within(part, scope); });
  });
}

}  // namespace

std::vector<std::string> Access::scopes() const {
  if (repository.empty()) return {};
  std::vector<std::string> scopes{fmt::format("repository:{}:{}", repository, push ? "pull,push" : "pull")};
  if (!also_pull.empty() && also_pull != repository)
    scopes.push_back(fmt::format("repository:{}:pull", also_pull));
  std::sort(scopes.begin(), scopes.end());
  return scopes;
}

/// One request on its way through the challenges.
class Authorizer::Attempt {
 public:
  Attempt(Authorizer& owner, http::Request request, const Access& access)
      : m_owner(owner), m_request(std::move(request)), m_access(access), m_scopes(owner.scopes_for(access)) {}

  std::unique_ptr<http::Response> run() {
    prepare();
    for (;;) {
      auto response = m_owner.m_transport.send(m_request);
      const bool own_answer = response->head().url.origin() == m_request.url.origin();
      if (own_answer) remember_address(response->head());
      if (response->status() != 401 || !own_answer) return response;
      answer(*response);
    }
  }

 private:
  // What earlier challenges taught.
  void prepare() {
    const auto [challenge, inside] =
        m_owner.m_known.with([](const Known& known) { return std::pair(known.challenge, known.inside); });
    m_inside = inside;
    if (!challenge) return;
    m_challenge = *challenge;
    m_credential = find_credential();
    if (m_challenge.scheme == "basic") {
      if (m_credential && !m_credential->username.empty()) use_basic();
      return;
    }
    if (m_access.repository.empty()) return;
    use_token(m_owner.m_tokens.token(token_request(m_scopes), challenger()));
  }

  void answer(http::Response& response) {
    const auto challenge = m_owner.challenge_of(m_request, response);
    drain(response);
    if (!challenge) {
      throw diag::CredentialsError(
          fmt::format("{} wants to know who asks, but not in a way that is known here", m_owner.m_registry),
          "it has to offer Basic or Bearer authentication");
    }
    m_challenge = *challenge;
    m_credential = find_credential();
    if (m_challenge.scheme == "basic") {
      answer_basic();
    } else {
      answer_bearer();
    }
    m_owner.m_known.with([&](Known& known) { known.challenge = m_challenge; });
  }

  void answer_basic() {
    if (m_credential && !m_credential->identity_token.empty()) {
      throw diag::CredentialsError(
          fmt::format("{} asks for a user name and password, and what is known for it is an identity token",
                      m_owner.m_registry),
          fmt::format("only token servers take identity tokens: log in with a user name and password (podman "
                      "login {})",
                      m_owner.m_registry));
    }
    if (!m_credential || m_credential->username.empty()) {
      throw diag::CredentialsError(
          fmt::format("{} asks for a user name and password", m_owner.m_registry),
          fmt::format("log in (podman login {}), or name the file with --authfile", m_owner.m_registry));
    }
    if (m_used_basic) refuse(fmt::format("the credentials of user {}", text::escape(m_credential->username)));
    use_basic();
  }

  // A token that was sent and refused may lack a scope, or may have expired early.
  void answer_bearer() {
    const std::string wanted = m_challenge.find("scope").value_or("");
    const bool wider = wanted.size() <= k_max_scope && !covers(m_scopes, wanted);
    if (!m_token.empty() && wider && !m_widened) {
      m_widened = true;
      remember_scope(wanted);
      use_token(m_owner.m_tokens.token(token_request(m_scopes), challenger()));
      return;
    }
    if (!m_token.empty() && std::exchange(m_refreshed, true))
      refuse(fmt::format("scope {}", joined(m_scopes)));
    use_token(m_owner.m_tokens.token(token_request(m_scopes), challenger(), m_token));
  }

  void remember_scope(const std::string& wanted) {
    const auto asked = m_access.scopes();
    m_owner.m_known.with([&](Known& known) { known.extra[asked] = wanted; });
    m_scopes = m_owner.scopes_for(m_access);
  }

  void remember_address(const http::ResponseHead& head) {
    if (m_inside) return;
    m_inside = !http::is_public_or_name(head.remote_address) ||
               !http::is_public_or_name(m_request.url.origin().host);
    if (m_inside) m_owner.m_known.with([](Known& known) { known.inside = true; });
  }

  [[noreturn]] void refuse(const std::string& what) const {
    throw AccessRefused(
        fmt::format("{} is missing or not permitted: {} refused {}",
                    m_access.repository.empty() ? "access" : "the repository " + m_access.repository,
                    m_owner.m_registry, what),
        fmt::format("check the name, and the credentials for {}", m_owner.m_registry));
  }

  std::optional<Credential> find_credential() const {
    return m_owner.m_credentials.find(m_owner.m_registry, m_access.repository);
  }
  TokenRequest token_request(std::vector<std::string> scopes) const {
    return {m_challenge.find("realm").value_or(""), m_challenge.find("service").value_or(""),
            std::move(scopes), m_credential};
  }
  Challenger challenger() const {
    return {m_owner.m_registry, m_request.url.origin(), m_inside, m_request.tls};
  }

  void use_token(std::string token) {
    m_token = std::move(token);
    m_request.headers.set("Authorization", "Bearer " + m_token);
  }
  void use_basic() {
    m_used_basic = true;
    m_request.headers.set("Authorization", basic(*m_credential));
  }

  Authorizer& m_owner;
  http::Request m_request;
  const Access& m_access;
  std::vector<std::string> m_scopes;
  Challenge m_challenge;
  std::optional<Credential> m_credential;
  std::string m_token;  // the one that was sent
  bool m_inside = false;
  bool m_used_basic = false;
  bool m_refreshed = false;
  bool m_widened = false;
};

Authorizer::Authorizer(std::string registry, http::Client& transport, CredentialStore& credentials,
                       TokenSource& tokens)
    : m_registry(std::move(registry)), m_transport(transport), m_credentials(credentials), m_tokens(tokens) {}

std::unique_ptr<http::Response> Authorizer::send(http::Request request, const Access& access) {
  return Attempt(*this, std::move(request), access).run();
}

std::optional<Challenge> Authorizer::challenge_of(const http::Request& request,
                                                  const http::Response& response) {
  if (auto own = usable_challenge(parse_challenges(response.head().headers.all("WWW-Authenticate"))))
    return own;
  if (auto earlier = m_known.with([](const Known& known) { return known.challenge; })) return earlier;
  http::Request ping{.url = base_url(request.url.origin())};
  ping.tls = request.tls;
  ping.allow_plain_http = request.allow_plain_http;
  const auto answer = m_transport.send(ping);
  drain(*answer);
  if (answer->head().url.origin() != ping.url.origin()) return std::nullopt;
  return usable_challenge(parse_challenges(answer->head().headers.all("WWW-Authenticate")));
}

bool Authorizer::inside() const {
  return m_known.with([](const Known& known) { return known.inside; });
}

std::vector<std::string> Authorizer::scopes_for(const Access& access) const {
  std::vector<std::string> scopes = access.scopes();
  m_known.with([&](const Known& known) {
    if (const auto found = known.extra.find(scopes); found != known.extra.end())
      scopes.push_back(found->second);
  });
  return scopes;
}

}  // namespace airgap::registry
