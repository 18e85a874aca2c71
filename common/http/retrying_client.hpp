#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string_view>

#include "common/http/client.hpp"
#include "common/http/retry_policy.hpp"
#include "common/task/clock.hpp"

namespace airgap::http {

/// Tells the operator about a wait: host, why ("429 Too Many Requests"), how long.
using WaitObserver =
    std::function<void(const Url& url, std::string_view why, std::chrono::milliseconds wait)>;

/// Sends again after answers and broken transfers that a later attempt may heal, with jittered backoff and
/// Retry-After. The last answer is returned as it is: what it means is the caller's to say. Repeats of all
/// requests together draw on one budget; 20 failures in a row over all requests of a host open its circuit
/// for the run (R18).
class RetryingClient : public Client {
 public:
  /// `inner` and `clock` are borrowed.
  RetryingClient(Client& inner, task::Clock& clock, RetryPolicy policy, std::stop_token stop,
                 WaitObserver observer);
  ~RetryingClient() override;
  std::unique_ptr<Response> send(const Request& request) override;

 private:
  struct State;
  /// Nothing when the server asks for more patience than the policy has. `answer` is null for a broken
  /// transfer.
  std::optional<std::chrono::milliseconds> wait_before(std::size_t repeat, const Response* answer);

  Client& m_inner;
  task::Clock& m_clock;
  RetryPolicy m_policy;
  std::stop_token m_stop;
  WaitObserver m_observer;
  std::unique_ptr<State> m_state;
};

}  // namespace airgap::http
