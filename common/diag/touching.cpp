#include "common/diag/touching.hpp"

#include "common/text/listed.hpp"

namespace airgap::diag {

namespace {

/// `make` makes the failure of a message and a hint.
template <class Make>
auto with_images(const Error& error, const std::vector<std::string>& images, Make&& make) {
  const std::string named = images.empty() ? "" : "; it touches " + text::listed(images);
  auto damage = make(error.message() + named, error.hint());
  for (const std::string& context : error.context()) damage.add_context(context);
  return damage;
}

}  // namespace

IntegrityError touching(const Error& error, const std::vector<std::string>& images) {
  return with_images(error, images, [](const std::string& message, const std::string& hint) {
    return IntegrityError(message, hint);
  });
}

Error touching_as_it_is(const Error& error, const std::vector<std::string>& images) {
  return with_images(error, images, [&](const std::string& message, const std::string& hint) {
    return Error(error.kind(), message, hint);
  });
}

}  // namespace airgap::diag
