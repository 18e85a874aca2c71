#include "bundle-format/skopeo_tree/layout.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "common/diag/error.hpp"
#include "common/text/escape.hpp"

namespace airgap::skopeo_tree {
namespace {

constexpr std::string_view k_instance_ending = ".manifest.json";
constexpr std::string_view k_signature = "signature-";
constexpr std::string_view k_version_prefix = "Directory Transport Version: ";
constexpr unsigned k_newest_major = 1;
constexpr unsigned k_newest_minor = 2;

std::optional<hash::Digest> digest_of(std::string_view stem) {
  const std::size_t dash = stem.find('-');
  try {
    if (dash == stem.npos) return hash::Digest::parse("sha256:" + std::string(stem));
    if (stem.substr(0, dash) == "sha256") return std::nullopt;  // a second spelling of the bare form
    return hash::Digest::parse(fmt::format("{}:{}", stem.substr(0, dash), stem.substr(dash + 1)));
  } catch (const diag::FormatError&) {
    return std::nullopt;
  }
}

// "1" to "999", without leading zeros; 0 for anything else.
std::size_t signature_number(std::string_view text) {
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  if (text.empty() || text.size() > 3 || text.front() == '0' || !std::all_of(text.begin(), text.end(), digit))
    return 0;
  return std::stoul(std::string(text));
}

std::optional<FileName> parse_signature(std::string_view name) {
  const std::size_t start = name.starts_with(k_signature) ? 0 : name.find("." + std::string(k_signature));
  if (start == name.npos) return std::nullopt;
  const std::size_t number =
      signature_number(name.substr(name.find(k_signature, start) + k_signature.size()));
  if (number == 0) return std::nullopt;
  FileName parsed{.kind = FileKind::signature, .digest = {}, .number = number};
  if (start == 0) return parsed;
  parsed.digest = digest_of(name.substr(0, start));
  if (!parsed.digest) return std::nullopt;
  return parsed;
}

bool is_host(std::string_view component) {
  return component == "localhost" || component.find_first_of(".:") != component.npos;
}

// "1.1" in numbers; nothing for what is no version.
std::optional<std::pair<unsigned long, unsigned long>> parse_version(std::string_view text) {
  const auto number = [](std::string_view digits) -> std::optional<unsigned long> {
    const auto digit = [](char c) { return c >= '0' && c <= '9'; };
    if (digits.empty() || digits.size() > 4 || !std::all_of(digits.begin(), digits.end(), digit))
      return std::nullopt;
    return std::stoul(std::string(digits));
  };
  const std::size_t dot = text.find('.');
  if (dot == text.npos) return std::nullopt;
  const auto major = number(text.substr(0, dot));
  const auto minor = number(text.substr(dot + 1));
  if (!major || !minor) return std::nullopt;
  return std::pair(*major, *minor);
}

}  // namespace

FileName FileName::parse(std::string_view name) {
  if (name == k_manifest_file) return {.kind = FileKind::manifest};
  if (name == k_version_file) return {.kind = FileKind::version};
  if (auto signature = parse_signature(name)) return *signature;
  if (name.ends_with(k_instance_ending)) {
    const auto digest = digest_of(name.substr(0, name.size() - k_instance_ending.size()));
    return digest ? FileName{.kind = FileKind::instance, .digest = digest} : FileName{};
  }
  if (const auto digest = digest_of(name)) return {.kind = FileKind::blob, .digest = digest};
  constexpr std::string_view k_ours = ".tmp";
  const bool ours =
      name.ends_with(k_ours) && parse(name.substr(0, name.size() - k_ours.size())).kind != FileKind::foreign;
  return {.kind = ours || name.starts_with("dir-put-blob") ? FileKind::temporary : FileKind::foreign};
}

std::string blob_file(const hash::Digest& digest) {
  if (digest.algorithm() == hash::Algorithm::sha256) return digest.hex();
  return fmt::format("{}-{}", hash::name(digest.algorithm()), digest.hex());
}

std::string instance_file(const hash::Digest& digest) {
  return blob_file(digest) + std::string(k_instance_ending);
}

std::string signature_file(const std::optional<hash::Digest>& instance, std::size_t number) {
  return fmt::format("{}{}{}", instance ? blob_file(*instance) + "." : std::string{}, k_signature, number);
}

std::string version_text(bool other_algorithm) {
  return fmt::format("{}{}\n", k_version_prefix, other_algorithm ? "1.2" : "1.1");
}

void check_version(std::string_view text) {
  const std::string_view line = text.substr(0, text.find('\n'));
  const auto version = text.starts_with(k_version_prefix) && text.size() == line.size() + 1
                           ? parse_version(line.substr(k_version_prefix.size()))
                           : std::nullopt;
  if (!version)
    throw diag::IntegrityError(
        fmt::format("'{}' is no version of skopeo's directories", text::escape(text, 80)),
        text.ends_with("\r\n") ? "its line ends were changed: copy the tree again, in binary mode"
                               : "copy the tree again, or export the image again");
  text = line.substr(k_version_prefix.size());
  const auto [major, minor] = *version;
  if (major < k_newest_major || (major == k_newest_major && minor <= k_newest_minor)) return;
  throw diag::UnsafeError(
      fmt::format("version {} of skopeo's directories is newer than {}.{}, the newest that is read here",
                  text::escape(text, 80), k_newest_major, k_newest_minor),
      "take a newer airgap-import, or export with an older skopeo");
}

std::string folder_of(const image::Reference& name, bool scoped) {
  const std::string whole = name.str();
  // A digest has no '/'.
  return scoped ? whole : whole.substr(whole.rfind('/') + 1);
}

image::Reference name_of_folder(std::string_view folder) {
  std::string registry;
  std::string_view inside = folder;
  const std::size_t slash = folder.find('/');
  if (slash != folder.npos && is_host(folder.substr(0, slash))) {
    registry = folder.substr(0, slash);
    inside.remove_prefix(slash + 1);
  }
  try {
    if (!registry.empty() && !image::is_valid_registry(registry))
      throw diag::FormatError(fmt::format("'{}' is no registry", text::escape(registry)));
    return image::RegistryTarget{.registry = registry}.place(inside).with_default_tag();
  } catch (const diag::FormatError& error) {
    throw diag::FormatError(fmt::format("the folder '{}' is not called as an image is: {}",
                                        text::escape(folder), error.message()),
                            "name the folder that holds the registries, as in push TREE/exported REGISTRY; "
                            "else rename or remove it");
  }
}

}  // namespace airgap::skopeo_tree
