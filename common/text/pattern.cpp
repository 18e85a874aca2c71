#include "common/text/pattern.hpp"

#include <fmt/format.h>
#include <re2/re2.h>

#include "common/text/escape.hpp"

namespace airgap::text {
namespace {

constexpr std::size_t k_max_expression = 1024;                  // bytes; expressions for tags are short
constexpr std::int64_t k_max_compiled = std::int64_t{1} << 20;  // bytes, so that x{1000}{1000} is refused

}  // namespace

std::optional<Pattern> Pattern::compile(std::string_view expression, std::string& why) {
  if (expression.size() > k_max_expression) {
    why = fmt::format("it is longer than {} characters", k_max_expression);
    return std::nullopt;
  }
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(k_max_compiled);
  auto compiled =
      std::make_shared<const re2::RE2>(re2::StringPiece(expression.data(), expression.size()), options);
  if (!compiled->ok()) {
    why = escape(compiled->error());
    return std::nullopt;
  }
  return Pattern(std::move(compiled));
}

const std::string& Pattern::str() const noexcept {
  return m_compiled->pattern();
}

bool Pattern::found_in(std::string_view text) const {
  return re2::RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), *m_compiled);
}

}  // namespace airgap::text
