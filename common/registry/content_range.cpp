#include "common/registry/content_range.hpp"

#include <fmt/format.h>

#include "common/image/media_type.hpp"

namespace airgap::registry {

bool is_rest_from(const http::ResponseHead& head, std::uint64_t from, std::uint64_t size) {
  const auto ranges = head.headers.all("Content-Range");
  const std::string type = image::bare_media_type(head.headers.find("Content-Type").value_or(""));
  if (ranges.size() != 1 || type.starts_with("multipart/") || from >= size) return false;
  const std::string rest = fmt::format("bytes {}-{}/", from, size - 1);
  if (ranges.front() != rest + std::to_string(size) && ranges.front() != rest + "*") return false;
  return !head.content_length || *head.content_length == size - from;
}

}  // namespace airgap::registry
