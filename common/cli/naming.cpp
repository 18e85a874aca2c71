#include "common/cli/naming.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "common/diag/error.hpp"
#include "common/diag/log.hpp"
#include "common/text/escape.hpp"
#include "common/text/nearest.hpp"

namespace airgap::cli {
namespace {

// How an operator would write a rule of this kind for the image: each prefix, or the name.
void add_spellings(const image::MapRule& rule, const image::Reference& image, std::set<std::string>& all) {
  // Of what lies in skopeo's folders nobody may know the registry; rules complete such a name.
  const std::string name =
      image.registry.empty() ? image::Reference::parse(image.repository).name() : image.name();
  if (!rule.is_prefix()) {
    all.insert(name);
    if (image.tag) all.insert(name + ":" + *image.tag);
    return;
  }
  for (std::size_t slash = name.find('/'); slash != name.npos; slash = name.find('/', slash + 1))
    all.insert(name.substr(0, slash + 1));
}

// A long registry and path that names have in common make none of them alike.
bool are_alike(std::string_view typed, std::string_view known) {
  const auto differ = std::ranges::mismatch(typed, known);
  const auto common = static_cast<std::size_t>(differ.in1 - typed.begin());
  const std::size_t slash = typed.substr(0, common).rfind('/');
  const std::size_t from = slash == typed.npos ? 0 : slash + 1;
  return text::nearest(typed.substr(from), {std::string(known.substr(from))}).has_value();
}

std::string meant(const image::MapRule& rule, const std::vector<image::Reference>& images) {
  constexpr std::size_t k_shown = 5;
  std::set<std::string> known;
  for (const image::Reference& image : images) add_spellings(rule, image, known);
  const auto near = text::nearest(rule.from, {known.begin(), known.end()});
  if (near && are_alike(rule.from, *near)) return fmt::format("did you mean '{}'?", text::escape(*near));
  std::string there = "there are: ";
  std::size_t shown = 0;
  for (const std::string& name : known) {
    if (shown == k_shown) return there + ", ...;";
    there += (shown++ == 0 ? "" : ", ") + text::escape(name);
  }
  return there + ";";
}

}  // namespace

image::RegistryTarget parse_target(const std::string& text) {
  try {
    return image::RegistryTarget::parse(text);
  } catch (const diag::FormatError& error) {
    throw diag::UsageError(error.message(), error.hint());
  }
}

void NamingOptions::declare(Command& command) {
  command.flag("--scoped", scoped, "names inside begin with the source host");
  command.flag("--flat", flat, "names inside are the last path component only");
  command.option("--map", maps, "FROM=TO", "inside, FROM (a name, or a prefix ending in /) is called TO");
}

image::Mapping NamingOptions::mapping() const {
  if (scoped && flat) {
    throw diag::UsageError("--scoped and --flat exclude each other",
                           "give one of them, or --map for single images");
  }
  image::Mapping names;
  names.mode = scoped ? image::NameMode::scoped : flat ? image::NameMode::flat : image::NameMode::path;
  for (const std::string& rule : maps) {
    try {
      names.add_rule(rule);
    } catch (const diag::FormatError& error) {
      throw diag::UsageError("--map " + error.message(), error.hint());
    }
  }
  return names;
}

void check_maps(const image::Mapping& mapping, const std::vector<image::Reference>& images, bool allowed) {
  for (const image::MapRule& rule : mapping.rules) {
    if (std::ranges::any_of(images, [&](const auto& image) { return rule.applies_to(image); })) continue;
    const std::string problem = fmt::format("--map {}={} is for no image that is here",
                                            text::escape(rule.from), text::escape(rule.to));
    if (!allowed)
      throw diag::UsageError(problem, fmt::format("{} {} takes that for nothing to do", meant(rule, images),
                                                  k_allow_unused_map));
    diag::log("map", diag::LogLevel::warning, problem);
  }
}

}  // namespace airgap::cli
