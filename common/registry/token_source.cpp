#include "common/registry/token_source.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "common/diag/error.hpp"
#include "common/json/reader.hpp"
#include "common/registry/api_error.hpp"
#include "common/registry/limits.hpp"
#include "common/registry/reply.hpp"
#include "common/text/base64.hpp"

namespace airgap::registry {
namespace {

using namespace std::chrono_literals;

constexpr std::chrono::seconds k_usual_life = 60s;  // of a token whose server does not say (R12)
constexpr std::chrono::seconds k_longest_life = 86'400s;
constexpr std::chrono::seconds k_longest_margin = 15s;
constexpr const char* k_client_id = "airgap";

struct Token {
  std::string value;
  std::chrono::milliseconds life{0};
};

bool is_header_safe(std::string_view value) {
  return !value.empty() &&
         std::all_of(value.begin(), value.end(), [](char c) { return c > ' ' && c < 0x7f; });
}

Token parse_token(const std::string& body) {
  const json::Document document = json::Document::parse(body);
  const json::Node root = document.root();
  std::string value = root.optional_string("token").value_or("");
  if (value.empty()) value = root.optional_string("access_token").value_or("");
  if (!is_header_safe(value)) root.fail("holds no token");
  const std::int64_t said = root.optional_int64("expires_in").value_or(0);
  const auto seconds = said <= 0 ? k_usual_life : std::chrono::seconds(std::min(said, std::int64_t{86'400}));
  return {std::move(value), std::min(seconds, k_longest_life)};
}

// One exchange with a token server.
class Exchange {
 public:
  Exchange(http::Client& transport, const http::OriginLookup& lookup, const TokenRequest& wanted,
           const Challenger& challenger)
      : m_transport(transport),
        m_wanted(wanted),
        m_challenger(challenger),
        m_base(realm_request(challenger, wanted.realm, wanted.credential.has_value(), lookup)) {}

  Token run() {
    const auto& credential = m_wanted.credential;
    if (credential && !credential->identity_token.empty()) {
      return read(*post({{"grant_type", "refresh_token"}, {"refresh_token", credential->identity_token}}));
    }
    auto response = get();
    const bool oauth_only = response->status() == 404 || response->status() == 405;
    if (oauth_only && credential) {
      drain(*response);
      response = post({{"grant_type", "password"},
                       {"username", credential->username},
                       {"password", credential->password}});
    }
    return read(*response);
  }

 private:
  using Form = std::vector<std::pair<std::string, std::string>>;

  std::unique_ptr<http::Response> get() {
    http::Request request = m_base;
    if (const auto& credential = m_wanted.credential) {
      request.url = request.url.with_parameter("account", credential->username);
      request.headers.add("Authorization",
                          "Basic " + text::to_base64(credential->username + ":" + credential->password));
    }
    if (!m_wanted.service.empty()) request.url = request.url.with_parameter("service", m_wanted.service);
    for (const std::string& scope : m_wanted.scopes) request.url = request.url.with_parameter("scope", scope);
    return m_transport.send(request);
  }

  std::unique_ptr<http::Response> post(Form form) {
    form.emplace_back("client_id", k_client_id);
    form.emplace_back("service", m_wanted.service);
    form.emplace_back("scope", fmt::format("{}", fmt::join(m_wanted.scopes, " ")));
    std::string body;
    for (const auto& [name, value] : form) {
      body += fmt::format("{}{}={}", body.empty() ? "" : "&", name, http::percent_encode(value));
    }
    http::Request request = m_base;
    request.method = http::Method::post;
    http::set_body(request, std::move(body), "application/x-www-form-urlencoded");
    return m_transport.send(request);
  }

  Token read(http::Response& response) const {
    const int status = response.status();
    if (status != 200) refuse(read_refusal(response));
    const std::string body =
        read_body(response, k_max_token_reply, fmt::format("the reply of the token server {}", server()));
    try {
      return parse_token(body);
    } catch (const diag::FormatError& error) {
      throw diag::CredentialsError(fmt::format("the token server {} of {} answered without a token: {}",
                                               server(), m_challenger.registry, error.message()),
                                   "check that the registry's token realm is right");
    }
  }

  [[noreturn]] void refuse(const Refusal& refusal) const {
    const std::string what = fmt::format("the token server {} of {} refused {}: {}", server(),
                                         m_challenger.registry, who(), refusal.str());
    if (refusal.status == 429 || refusal.status >= 500)
      throw diag::NetworkError(what, "run the same command again later");
    throw diag::CredentialsError(what, fmt::format("check the credentials for {} (asked for: {})",
                                                   m_challenger.registry, fmt::join(m_wanted.scopes, " ")));
  }

  std::string server() const { return m_base.url.origin().str(); }
  std::string_view who() const { return m_wanted.credential ? "the credentials" : "anonymous access"; }

  http::Client& m_transport;
  const TokenRequest& m_wanted;
  const Challenger& m_challenger;
  http::Request m_base;
};

}  // namespace

struct TokenSource::Slot {
  std::mutex mutex;  // held while a token is fetched: the others wait for it
  std::string value;
  task::Clock::TimePoint good_until{};

  bool is_good(task::Clock::TimePoint now) const { return !value.empty() && now < good_until; }
};

TokenSource::TokenSource(http::Client& transport, task::Clock& clock, http::OriginLookup lookup)
    : m_transport(transport), m_clock(clock), m_lookup(std::move(lookup)) {}

TokenSource::~TokenSource() = default;

std::shared_ptr<TokenSource::Slot> TokenSource::slot_of(const TokenRequest& wanted) {
  return m_slots.with([&](auto& slots) {
    auto& slot = slots[wanted];
    if (!slot) slot = std::make_shared<Slot>();
    return slot;
  });
}

std::string TokenSource::token(const TokenRequest& wanted, const Challenger& challenger,
                               std::string_view rejected) {
  const auto slot = slot_of(wanted);
  const std::scoped_lock lock(slot->mutex);
  if (slot->is_good(m_clock.now()) && slot->value != rejected) return slot->value;
  const auto asked_at = m_clock.now();  // the life counts from before the request: never too long
  Token token = Exchange(m_transport, m_lookup, wanted, challenger).run();
  slot->value = std::move(token.value);
  slot->good_until =
      asked_at + token.life - std::min<std::chrono::milliseconds>(k_longest_margin, token.life / 4);
  return slot->value;
}

}  // namespace airgap::registry
