#include "common/http/retrying_client.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <optional>
#include <random>
#include <utility>

#include "common/task/guarded.hpp"

namespace airgap::http {
namespace {

constexpr std::size_t k_circuit = 20;  // failures in a row (R18)

std::string_view reason(int status) {
  switch (status) {
    case 408:
      return "Request Timeout";
    case 429:
      return "Too Many Requests";
    case 500:
      return "Internal Server Error";
    case 502:
      return "Bad Gateway";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    default:
      return "server error";
  }
}

std::string circuit_key(const Url& url) {
  return url.origin().str();
}

}  // namespace

struct RetryingClient::State {
  /// Failures without a success between them.
  struct Row {
    std::size_t length = 0;
    std::string why;  ///< of the latest
  };

  explicit State(std::size_t whole_budget)
      : budget(whole_budget), random(std::mt19937_64(std::random_device{}())) {}

  bool draw() {  ///< one repeat from the budget of the run
    std::size_t left = budget;
    while (left > 0 && !budget.compare_exchange_weak(left, left - 1)) {
    }
    return left > 0;
  }
  double jitter() {
    return random.with(
        [](std::mt19937_64& engine) { return std::uniform_real_distribution<>(0.0, 1.0)(engine); });
  }
  Row row_of(const Url& url) {
    return failures.with([&](auto& rows) { return rows[circuit_key(url)]; });
  }
  void count_failure(const Url& url, std::string why) {
    failures.with([&](auto& rows) {
      Row& row = rows[circuit_key(url)];
      ++row.length;
      row.why = std::move(why);
    });
  }
  void end_row(const Url& url) {
    failures.with([&](auto& rows) { rows.erase(circuit_key(url)); });
  }

  std::atomic<std::size_t> budget;
  task::Guarded<std::mt19937_64> random;
  task::Guarded<std::map<std::string, Row>> failures;
};

namespace {

struct Outcome {
  std::unique_ptr<Response> response;
  std::optional<TransferError> error;

  std::string why() const {
    return error ? error->message() : fmt::format("{} {}", response->status(), reason(response->status()));
  }
  std::unique_ptr<Response> result() {
    if (error) throw TransferError(*error);
    return std::move(response);
  }
  /// A quota is not a failure: neither side of it says whether the registry works.
  bool is_quota() const { return !error && response->status() == 429; }
};

/// Nothing when the answer is final.
std::optional<Outcome> attempt(Client& inner, const Request& request,
                               std::unique_ptr<Response>& final_answer) {
  try {
    auto response = inner.send(request);
    if (is_retryable_status(response->status())) return Outcome{std::move(response), std::nullopt};
    final_answer = std::move(response);
    return std::nullopt;
  } catch (const TransferError& error) {
    if (!error.retryable()) throw;
    return Outcome{nullptr, error};
  }
}

}  // namespace

RetryingClient::RetryingClient(Client& inner, task::Clock& clock, RetryPolicy policy, std::stop_token stop,
                               WaitObserver observer)
    : m_inner(inner),
      m_clock(clock),
      m_policy(policy),
      m_stop(std::move(stop)),
      m_observer(std::move(observer)),
      m_state(std::make_unique<State>(10 * policy.repeats + 200)) {}

RetryingClient::~RetryingClient() = default;

std::unique_ptr<Response> RetryingClient::send(const Request& request) {
  const std::size_t repeats = std::min(m_policy.repeats, request.most_repeats.value_or(m_policy.repeats));
  for (std::size_t repeat = 0;; ++repeat) {
    if (const auto row = m_state->row_of(request.url); row.length >= k_circuit) {
      throw TransferError(
          fmt::format("the registry at {} failed {} times in a row, the last time: {}",
                      request.url.origin().str(), k_circuit, row.why),
          false, "it is left alone for the rest of this run; what is done is kept, so run again later");
    }
    std::unique_ptr<Response> answer;
    std::optional<Outcome> outcome = attempt(m_inner, request, answer);
    if (!outcome) {
      m_state->end_row(request.url);
      return answer;
    }
    if (!outcome->is_quota()) m_state->count_failure(request.url, outcome->why());
    if (!request.repeatable || repeat == repeats) return outcome->result();
    const auto wait = wait_before(repeat, outcome->response.get());
    if (!wait || !m_state->draw()) return outcome->result();
    const std::string why = outcome->why();
    outcome.reset();  // gives the connection back
    if (m_observer) m_observer(request.url, why, *wait);
    m_clock.sleep(*wait, m_stop);
  }
}

std::optional<std::chrono::milliseconds> RetryingClient::wait_before(std::size_t repeat,
                                                                     const Response* answer) {
  const double jitter = m_state->jitter();
  if (answer != nullptr) {
    if (const auto value = answer->head().headers.find("Retry-After")) {
      if (const auto asked = parse_retry_after(*value, m_clock.wall())) {
        if (*asked > m_policy.longest_wait) return std::nullopt;
        return std::max(*asked, m_policy.backoff(0, jitter));  // not all workers at once after a "0"
      }
    }
  }
  return m_policy.backoff(repeat, jitter);
}

}  // namespace airgap::http
