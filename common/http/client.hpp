#pragma once

#include <memory>
#include <string>

#include "common/diag/error.hpp"
#include "common/http/message.hpp"

namespace airgap::http {

/// A response whose head has arrived; its body is pulled. The transfer is driven by the thread that reads,
/// and its connection goes back to the client when the body was read to its end. A body that ends before its
/// Content-Length, or breaks otherwise, throws diag::NetworkError (TransferError).
class Response : public io::Source {
 public:
  virtual const ResponseHead& head() const noexcept = 0;
  int status() const noexcept { return head().status; }
};

/// A transfer that broke: connection, TLS, time-out or a malformed answer. `retryable` is false where a
/// second attempt cannot help (certificate, protocol, refused address).
class TransferError : public diag::NetworkError {
 public:
  TransferError(std::string message, bool retryable, std::string hint = {});
  bool retryable() const noexcept { return m_retryable; }

 private:
  bool m_retryable;
};

/// Sends requests. Implementations: CurlClient, RedirectingClient, RetryingClient and the tests' fake.
/// Safe from any thread; each Response belongs to the thread that asked for it.
class Client {
 public:
  virtual ~Client() = default;
  /// Sends the request with its body and returns when the head of the final answer (not 1xx) is there. Any
  /// status is an answer; throws TransferError when there is none, diag::Interrupted when a stop was asked
  /// for.
  virtual std::unique_ptr<Response> send(const Request& request) = 0;
};

}  // namespace airgap::http
