#include <fmt/format.h>

#include "common/diag/error.hpp"
#include "common/image/name_grammar.hpp"
#include "common/image/reference.hpp"
#include "common/text/escape.hpp"

namespace airgap::image {
namespace {

[[noreturn]] void refuse(std::string_view text, std::string_view why) {
  throw diag::FormatError(fmt::format("bad destination registry '{}': {}", text::escape(text), why),
                          "a destination looks like registry.example.com, registry.example.com:5000 or "
                          "registry.example.com/mirror");
}

}  // namespace

RegistryTarget RegistryTarget::parse(std::string_view text) {
  if (text.find("://") != std::string_view::npos) {
    refuse(text, "leave out what stands before and with '://'");
  }
  const std::size_t slash = text.find('/');
  RegistryTarget target{.registry = std::string(text.substr(0, slash))};
  if (const auto fault = registry_fault(target.registry)) refuse(text, *fault);
  if (target.registry == "index.docker.io") target.registry = "docker.io";
  if (slash == std::string_view::npos) return target;
  std::string_view prefix = text.substr(slash + 1);
  if (prefix.ends_with('/')) prefix.remove_suffix(1);
  if (prefix.find_first_of(":@") != std::string_view::npos) {
    refuse(text, "it is a place for many images, so it has no tag and no digest");
  }
  if (!prefix.empty()) {
    if (const auto fault = repository_fault(prefix)) refuse(text, *fault);
  } else if (text.substr(slash) != "/") {
    refuse(text, "a '/' has nothing before or after it");
  }
  target.prefix = prefix;
  return target;
}

std::string RegistryTarget::str() const {
  return prefix.empty() ? registry : registry + "/" + prefix;
}

Reference RegistryTarget::place(std::string_view inside) const {
  const std::string whole = prefix.empty() ? std::string(inside) : prefix + "/" + std::string(inside);
  auto [path, tag, digest] = split_path(whole, "target name", whole);
  return {registry, std::move(path), std::move(tag), digest};
}

}  // namespace airgap::image
