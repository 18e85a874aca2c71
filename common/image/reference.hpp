#pragma once

#include <compare>
#include <optional>
#include <string>
#include <string_view>

#include "common/hash/digest.hpp"

namespace airgap::image {

/// The longest repository path that registries accept, in bytes.
inline constexpr std::size_t k_max_repository = 255;

/// A full image name. What parse() returns is safe in a URL and in a path.
struct Reference {
  std::string registry;    ///< host[:port], "docker.io" for short names
  std::string repository;  ///< "library/nginx"
  std::optional<std::string> tag{};
  std::optional<hash::Digest> digest{};  ///< decides when both are there; the tag is a name then

  /// By docker's rules: the first component is a host when it has a '.', a ':' or an upper-case letter or is
  /// localhost; all else is on docker.io, one component alone in library/. Throws FormatError.
  static Reference parse(std::string_view text);

  /// "path[:tag][@digest]" in a registry that is named apart, so that it needs no dot to be one; on docker.io
  /// one component alone is in library/. Throws FormatError.
  static Reference in_registry(std::string_view registry, std::string_view path);

  /// Does the text begin with a registry's host, as parse() sees it? A short name does not.
  static bool names_registry(std::string_view text);
  /// What str() writes: the first component is always a registry, with a dot or without. Throws FormatError
  /// for what str() would write otherwise.
  static Reference parse_full(std::string_view text);

  std::string name() const;      ///< "docker.io/library/nginx"
  std::string str() const;       ///< name and ":tag" and "@digest", as far as there are any
  std::string familiar() const;  ///< as docker shows it: "nginx:1.27"
  /// With the tag "latest" when there is neither tag nor digest.
  Reference with_default_tag() const;

  friend auto operator<=>(const Reference&, const Reference&) = default;
};

/// Where a push goes: the first component is always a registry's host, with a dot or without.
struct RegistryTarget {
  std::string registry;  ///< host[:port]
  std::string prefix{};  ///< "team/mirror", may be empty

  /// "host[:port][/prefix]". Throws FormatError.
  static RegistryTarget parse(std::string_view text);

  std::string str() const;
  /// The reference of "path[:tag][@digest]" below the prefix. Throws FormatError, also when the path becomes
  /// too long.
  Reference place(std::string_view inside) const;

  friend auto operator<=>(const RegistryTarget&, const RegistryTarget&) = default;
};

bool is_valid_tag(std::string_view tag);
bool is_valid_repository(std::string_view path);    ///< "library/nginx", without a host
bool is_valid_registry(std::string_view registry);  ///< "host", "host:5000", "[::1]:5000"

}  // namespace airgap::image
