#include "bundle-format/metadata/json_kind.hpp"

#include "common/text/escape.hpp"

namespace airgap::bundle {

std::string json_kind(std::string_view bytes) {
  constexpr std::size_t k_looked_at = 200;  // what we write has "kind" first; hand-made files may not
  const std::size_t first = bytes.find_first_not_of(" \t\r\n");
  if (first == bytes.npos || bytes[first] != '{') return {};
  const std::string_view front = bytes.substr(first, k_looked_at);
  constexpr std::string_view k_member = "\"kind\"";
  const std::size_t member = front.find(k_member);
  if (member == front.npos) return {};
  const std::size_t begin = front.find('"', member + k_member.size());
  if (begin == front.npos) return {};
  const std::size_t end = front.find('"', begin + 1);
  return end == front.npos ? std::string{} : text::escape(front.substr(begin + 1, end - begin - 1));
}

}  // namespace airgap::bundle
