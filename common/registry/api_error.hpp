#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/diag/error.hpp"
#include "common/http/client.hpp"

namespace airgap::registry {

/// The registry does not have blobs or manifests that a pushed manifest names (R70): pushing them again may
/// help.
class MissingContent : public diag::NetworkError {
 public:
  using KindError::KindError;
};

/// The registry works, and does not have what was to be read.
class NotThere : public diag::NetworkError {
 public:
  using KindError::KindError;
};

/// The project that a push went to is full (R81): more pushes to it fail as well.
class QuotaExceeded : public diag::NetworkError {
 public:
  using KindError::KindError;
};

/// An answer that is not success, read to its end. distribution-spec, "Error Codes"; the form is not
/// guaranteed.
struct Refusal {
  struct Item {
    std::string code;     ///< "MANIFEST_UNKNOWN"; foreign text
    std::string message;  ///< foreign text
  };

  int status = 0;
  std::vector<Item> items;
  std::string body;  ///< as it came, at most k_max_error_body bytes
  bool web_page = false;
  std::string retry_after{};  ///< as it came; empty when the registry names no time

  bool has(std::string_view code) const;
  bool mentions(std::string_view word) const;  ///< anywhere in the body, without regard to case
  std::string str() const;  ///< "404 MANIFEST_UNKNOWN: manifest unknown", bounded and safe to print
};

Refusal read_refusal(http::Response& response);

/// What was asked for, for the message and the kind of a refusal.
struct Asked {
  enum class Action { read, push_blob, push_manifest, remove };
  Action action = Action::read;
  std::string registry;      ///< as the user named it
  std::string repository;    ///< path
  std::string subject;       ///< "manifest team/app:1.4"
  std::string media_type{};  ///< of a pushed manifest
  std::uint64_t size = 0;    ///< bytes that were pushed
};

/// Throws the error that the refusal means (R14, R17, R70, R78-R83, R87). Decided by status first, by code
/// second, by text for quotas alone.
[[noreturn]] void throw_refusal(const Refusal& refusal, const Asked& asked);
[[noreturn]] void throw_refusal(http::Response& response, const Asked& asked);

}  // namespace airgap::registry
