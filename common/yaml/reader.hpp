#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "common/yaml/node.hpp"

namespace airgap::yaml {

/// What a document may cost.
struct Limits {
  std::size_t bytes = std::size_t{1} << 20;
  std::size_t depth = 64;
  std::size_t nodes = 200'000;  ///< values and keys; tens of thousands of tags are a large list
};

/// One document, with one meaning to every reader (R146-R150): UTF-8, no NUL or control characters, no
/// anchors, aliases, tags or merge keys, keys that are text and differ, nothing after it. A BOM, CRLF and
/// JSON are fine. Checked event by event, so that nothing is built from what is refused. `file` is for
/// messages. Throws UsageError "file:line:column: …".
Node read(std::string_view text, const std::string& file, const Limits& limits = {});

}  // namespace airgap::yaml
