#include "common/image/reference.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "common/image/name_grammar.hpp"

namespace airgap::image {
namespace {

constexpr std::string_view k_hub = "docker.io";
constexpr std::string_view k_official = "library/";
constexpr std::string_view k_what = "image name";

bool names_host(std::string_view component) {
  return component == "localhost" || component.find_first_of(".:") != std::string_view::npos ||
         std::any_of(component.begin(), component.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
}

bool is_image_id(std::string_view text) {
  return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

// The image `inside` a registry; `whole` is what the user wrote, for messages.
Reference complete(std::string registry, std::string_view inside, std::string_view whole) {
  if (const auto fault = registry_fault(registry)) refuse_name(k_what, whole, *fault);
  if (registry == "index.docker.io") registry = k_hub;
  auto [path, tag, digest] = split_path(inside, k_what, whole);
  if (registry == k_hub && path.find('/') == std::string::npos) {
    path.insert(0, k_official);
    if (const auto fault = repository_fault(path)) refuse_name(k_what, whole, *fault);
  }
  return {std::move(registry), std::move(path), std::move(tag), digest};
}

}  // namespace

Reference Reference::parse(std::string_view text) {
  if (text.empty()) refuse_name(k_what, text, "it is empty");
  if (text.find("://") != std::string_view::npos) {
    refuse_name(k_what, text, "leave out what stands before and with '://'");
  }
  if (is_image_id(text)) refuse_name(k_what, text, "it is an image id, not a name");
  const bool has_host = names_registry(text);
  const std::size_t slash = text.find('/');
  if (text.starts_with('[') && !has_host)
    refuse_name(k_what, text, "the repository after the host is missing");
  return complete(std::string(has_host ? text.substr(0, slash) : k_hub),
                  has_host ? text.substr(slash + 1) : text, text);
}

Reference Reference::in_registry(std::string_view registry, std::string_view path) {
  const std::string whole = std::string(registry) + "/" + std::string(path);
  return complete(std::string(registry), path, whole);
}

bool Reference::names_registry(std::string_view text) {
  const std::size_t slash = text.substr(0, text.find('@')).find('/');
  return slash != std::string_view::npos && names_host(text.substr(0, slash));
}

Reference Reference::parse_full(std::string_view text) {
  const std::size_t slash = text.find('/');
  Reference name = slash == std::string_view::npos
                       ? parse(text)
                       : in_registry(text.substr(0, slash), text.substr(slash + 1));
  if (name.str() != text) {
    refuse_name(k_what, text, fmt::format("the full name would be '{}'", name.str()));
  }
  return name;
}

std::string Reference::name() const {
  return registry.empty() ? repository : registry + "/" + repository;
}

std::string Reference::str() const {
  std::string text = name();
  if (tag) text += ":" + *tag;
  if (digest) text += "@" + digest->str();
  return text;
}

std::string Reference::familiar() const {
  std::string text = str();
  if (registry != k_hub) return text;
  text.erase(0, k_hub.size() + 1);
  const bool official =
      text.starts_with(k_official) && repository.find('/', k_official.size()) == std::string::npos;
  return official ? text.substr(k_official.size()) : text;
}

Reference Reference::with_default_tag() const {
  Reference tagged = *this;
  if (!tag && !digest) tagged.tag = "latest";
  return tagged;
}

bool is_valid_tag(std::string_view tag) {
  return !tag_fault(tag);
}
bool is_valid_repository(std::string_view path) {
  return !repository_fault(path);
}
bool is_valid_registry(std::string_view registry) {
  return !registry_fault(registry);
}

}  // namespace airgap::image
