#include "common/registry/reply.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "common/diag/error.hpp"
#include "common/image/media_type.hpp"
#include "common/registry/limits.hpp"
#include "common/text/escape.hpp"

namespace airgap::registry {
namespace {

constexpr std::size_t k_shown = 80;  // bytes of a foreign page that are printed (R19)

}  // namespace

std::string read_refusal_body(http::Response& response) {
  std::string body;
  std::vector<std::byte> buffer(io::k_min_read);
  try {
    while (const std::size_t count = response.read(buffer)) {
      body.append(io::text_of(std::span(buffer).first(std::min(count, k_max_error_body - body.size()))));
      if (body.size() == k_max_error_body) break;
    }
  } catch (const diag::NetworkError&) {  // the status alone has to do
  }
  return body;
}

void drain(http::Response& response) {
  static_cast<void>(read_refusal_body(response));
}

std::string read_body(http::Response& response, std::size_t cap, std::string_view what) {
  refuse_encoded(response.head());
  if (const auto length = response.head().content_length; length && *length > cap) {
    throw diag::UnsafeError(fmt::format("{} of {} bytes is over the limit of {} bytes", what, *length, cap));
  }
  return io::read_all(response, cap, what);
}

void refuse_encoded(const http::ResponseHead& head) {
  const std::string encoding = head.headers.find("Content-Encoding").value_or("identity");
  if (encoding == "identity" || encoding.empty()) return;
  throw diag::NetworkError(fmt::format("{} answers with Content-Encoding {} although none was asked for",
                                       head.url.origin().str(), text::escape(encoding)),
                           "a proxy on the way changes the bytes; reach the registry without it");
}

bool is_html(const http::ResponseHead& head) {
  const std::string type = image::bare_media_type(head.headers.find("Content-Type").value_or(""));
  return type == "text/html" || type == "application/xhtml+xml";
}

void throw_not_a_registry(std::string_view registry, std::string_view body) {
  throw diag::NetworkError(fmt::format("{} gave something that is not a registry answer: \"{}\"", registry,
                                       text::escape(body, k_shown)),
                           "check the address, and whether a proxy or a login page answers in its place");
}

void refuse_web_page(std::string_view registry, http::Response& response) {
  const int status = response.status();
  if (status >= 200 && status < 300 && is_html(response.head())) {
    throw_not_a_registry(registry, read_refusal_body(response));
  }
}

}  // namespace airgap::registry
