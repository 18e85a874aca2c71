#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "common/http/client.hpp"

namespace airgap::registry {

/// What a registry says about a request it refuses: at most k_max_error_body bytes, and less when the
/// transfer breaks.
std::string read_refusal_body(http::Response& response);

/// Reads what is left of a small body, so that its connection can be used again. Never throws but for a stop
/// request.
void drain(http::Response& response);

/// A whole body, verbatim. Throws UnsafeError above `cap`, NetworkError for an encoded one (digests cover raw
/// bytes).
std::string read_body(http::Response& response, std::size_t cap, std::string_view what);
void refuse_encoded(const http::ResponseHead& head);

/// Is this the page of a proxy login or a parked domain rather than a registry's answer? (R19, R66)
bool is_html(const http::ResponseHead& head);
/// NetworkError "not a registry answer", with the beginning of `body`.
[[noreturn]] void throw_not_a_registry(std::string_view registry, std::string_view body);
/// Throws it when a successful answer is a web page.
void refuse_web_page(std::string_view registry, http::Response& response);

}  // namespace airgap::registry
