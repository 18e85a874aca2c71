#include "common/http/head_parser.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>

#include "common/http/client.hpp"
#include "common/text/escape.hpp"

namespace airgap::http {
namespace {

std::string_view trimmed(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1);
}

[[noreturn]] void refuse_lengths(std::string_view found) {
  throw TransferError(
      fmt::format("the answer has an ambiguous length: Content-Length is \"{}\"", text::escape(found, 60)),
      false);
}

std::uint64_t parse_length(std::string_view text) {
  std::uint64_t length = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), length);
  const bool whole = !text.empty() && end == text.data() + text.size();
  if (error != std::errc() || !whole || length > std::uint64_t{std::numeric_limits<std::int64_t>::max()}) {
    refuse_lengths(text);
  }
  return length;
}

/// The one length that all Content-Length fields agree on; "5, 5" is a list of two.
std::optional<std::uint64_t> length_of(const Headers& headers) {
  std::string list;
  for (const std::string& value : headers.all("Content-Length"))
    list += (list.empty() ? "" : ",") + value + " ";
  if (list.empty()) return std::nullopt;
  std::optional<std::uint64_t> agreed;
  for (std::size_t begin = 0; begin <= list.size();) {
    const std::size_t end = std::min(list.find(',', begin), list.size());
    const std::uint64_t length = parse_length(trimmed(std::string_view(list).substr(begin, end - begin)));
    if (agreed && *agreed != length) refuse_lengths(list);
    agreed = length;
    begin = end + 1;
  }
  // A chunked body ends where its chunks say.
  return headers.find("Transfer-Encoding") ? std::nullopt : agreed;
}

}  // namespace

void HeadParser::line(std::string_view line) {
  diag::with_context([&] { return "reading the answer of " + m_head.url.origin().str(); },
                     [&] { take(line); });
}

void HeadParser::take(std::string_view line) {
  if (m_complete) return;
  m_size += line.size();
  if (m_size > k_max_head) {
    throw TransferError(fmt::format("the answer's headers are larger than {} bytes", k_max_head), false);
  }
  const bool folded = line.starts_with(' ') || line.starts_with('\t');
  const std::string_view text = trimmed(line);
  if (line.starts_with("HTTP/")) {
    start(text);
  } else if (!text.empty() && !folded) {
    field(text);
  } else if (!folded && (m_head.status >= 200 || m_head.status == 101)) {
    m_head.content_length = length_of(m_head.headers);
    m_complete = true;
  }
}

void HeadParser::start(std::string_view status_line) {
  m_head.headers = {};
  m_head.status = 0;
  const auto space = status_line.find(' ');
  if (space == std::string_view::npos) return;
  const auto digits = status_line.substr(space + 1, 3);
  std::from_chars(digits.data(), digits.data() + digits.size(), m_head.status);
}

void HeadParser::field(std::string_view line) {
  const auto colon = line.find(':');
  if (colon == std::string_view::npos || colon == 0) return;
  m_head.headers.add(std::string(line.substr(0, colon)), std::string(trimmed(line.substr(colon + 1))));
}

}  // namespace airgap::http
