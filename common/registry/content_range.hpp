#pragma once

#include <cstdint>

#include "common/http/message.hpp"

namespace airgap::registry {

/// Is this 206 exactly the rest of `size` bytes from `from`? One Content-Range "bytes from-last/size", the
/// total may be
/// '*', no multipart, and a Content-Length that fits (R30).
bool is_rest_from(const http::ResponseHead& head, std::uint64_t from, std::uint64_t size);

}  // namespace airgap::registry
