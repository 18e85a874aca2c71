#include "common/diag/touching.hpp"

#include "common/text/listed.hpp"

namespace airgap::diag {

IntegrityError touching(const Error& error, const std::vector<std::string>& images) {
  const std::string named = images.empty() ? "" : "; it touches " + text::listed(images);
  IntegrityError damage(error.message() + named, error.hint());
  for (const std::string& context : error.context()) damage.add_context(context);
  return damage;
}

}  // namespace airgap::diag
