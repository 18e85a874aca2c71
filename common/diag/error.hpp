#pragma once

#include <exception>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace airgap::diag {

/// What went wrong, coarsely: the kind alone picks the exit status (exit_code.hpp).
enum class ErrorKind {
  internal,     ///< our own bug
  usage,        ///< command line or configuration
  network,      ///< registry or network, after retries
  credentials,  ///< credentials or permission
  integrity,    ///< size, digest or signature
  unsafe,       ///< hostile or malformed input, or a limit
  storage,      ///< local storage
  busy,         ///< another run holds the bundle
  interrupted,  ///< a signal asked us to stop
};

/// A failure with a kind, a message that says what failed, what was expected and found, and a story:
/// each layer it passes through adds what it was doing. `hint` says what the operator does next.
class Error : public std::exception {
 public:
  Error(ErrorKind kind, std::string message, std::string hint = {});

  ErrorKind kind() const noexcept { return m_kind; }
  const std::string& message() const noexcept { return m_message; }
  const std::string& hint() const noexcept { return m_hint; }
  const std::vector<std::string>& context() const noexcept { return m_context; }  ///< innermost first

  /// Adds "while <context>" to the story; repeated neighbours are kept once.
  void add_context(std::string context);
  void set_hint(std::string hint) { m_hint = std::move(hint); }

  /// "message (while a, while b)" on one line, without the hint.
  std::string full_message() const;
  const char* what() const noexcept override { return m_message.c_str(); }

 private:
  ErrorKind m_kind;
  std::string m_message;
  std::string m_hint;
  std::vector<std::string> m_context;
};

/// An error whose type says its kind, so that a caller can catch just that.
template <ErrorKind Kind>
class KindError : public Error {
 public:
  explicit KindError(std::string message, std::string hint = {})
      : Error(Kind, std::move(message), std::move(hint)) {}
};

using InternalError = KindError<ErrorKind::internal>;
using UsageError = KindError<ErrorKind::usage>;
using NetworkError = KindError<ErrorKind::network>;
using CredentialsError = KindError<ErrorKind::credentials>;
using IntegrityError = KindError<ErrorKind::integrity>;
using UnsafeError = KindError<ErrorKind::unsafe>;
using StorageError = KindError<ErrorKind::storage>;
using BusyError = KindError<ErrorKind::busy>;

/// Text that does not have the form it must have. From a registry or bundle it is unsafe input (exit 6);
/// a command line or list turns it into a UsageError.
class FormatError : public UnsafeError {
 public:
  using UnsafeError::UnsafeError;
};

/// A stop was asked for (SIGINT, SIGTERM, SIGHUP). The exit status adds 128 to the signal.
class Interrupted : public KindError<ErrorKind::interrupted> {
 public:
  Interrupted() : KindError("interrupted") {}
};

/// Runs `body`; an Error that leaves it carries `describe()` as context. `describe` runs on failure only.
template <class Describe, class Body>
decltype(auto) with_context(Describe&& describe, Body&& body) {
  try {
    return std::forward<Body>(body)();
  } catch (Error& error) {
    error.add_context(std::forward<Describe>(describe)());
    throw;
  }
}

}  // namespace airgap::diag
