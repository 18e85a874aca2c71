#pragma once

#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/image/reference.hpp"

namespace airgap::image {

/// What of a source name is kept inside. README.md, "Names".
enum class NameMode {
  path,    ///< quay.io/org/app -> org/app
  scoped,  ///< registry:5000/org/app -> registry-5000/org/app
  flat,    ///< quay.io/org/app -> app
};
std::string_view name_of(NameMode mode) noexcept;  ///< "path", "scoped", "flat"
/// Throws FormatError.
NameMode parse_name_mode(std::string_view text);

/// One --map FROM=TO. FROM is an image name, with a tag or without, or a prefix that ends in '/'; short names
/// are completed as those of images are. TO is a path inside the target; it may have a tag where FROM has
/// one.
struct MapRule {
  std::string from;  ///< full name "quay.io/org/app", "quay.io/org/app:1", or prefix "quay.io/org/"
  std::string to;    ///< "team/app", "team/app:2"; of a prefix "team/" or nothing

  /// Throws FormatError.
  static MapRule parse(std::string_view text);
  /// The rule for one repository or, where `from` has a tag, one image. Throws FormatError.
  static MapRule exact(const Reference& from, std::string_view to);
  bool is_prefix() const { return from.ends_with('/'); }
  bool applies_to(const Reference& source) const;
  friend bool operator==(const MapRule&, const MapRule&) = default;
};

/// Source names -> names inside. The most specific rule wins: a name with its tag, a name, the longest
/// prefix; then what is listed, likewise; then the mode.
struct Mapping {
  NameMode mode = NameMode::path;
  std::vector<MapRule> rules{};
  std::map<std::string, std::string, std::less<>> listed{};  ///< from -> to of exact rules, however many

  /// Adds a --map. Throws FormatError when it is malformed or sends one FROM to a second place.
  void add_rule(std::string_view from_to);

  /// The place inside, without a registry: "path[:tag][@digest]", with the tag and digest of `source`.
  std::string inside(const Reference& source) const;
  /// The same as far as `rules` say it.
  std::optional<std::string> by_rule(const Reference& source) const;
  /// Throws FormatError when the name becomes one that no registry takes.
  Reference target(const Reference& source, const RegistryTarget& where) const;

  friend bool operator==(const Mapping&, const Mapping&) = default;
};

/// Different sources that would be written to one tag.
struct Collision {
  Reference target;                ///< without digest
  std::vector<Reference> sources;  ///< sorted, each once
  std::string str() const;         ///< "quay.io/a/app:1 and quay.io/b/app:1 would both become registry/app:1"
  std::string hint() const;        ///< what keeps them apart

  friend bool operator==(const Collision&, const Collision&) = default;
};

/// A source, where it goes, and what it stands for.
struct Naming {
  Reference source;
  Reference target;
  std::string digest{};  ///< empty when it is not known: then it counts as different from all others
};

/// All collisions, sorted by target. The same source listed twice is none, nor are two names of one
/// repository for one digest (app:1 and app:1@sha256:…); a target that has a digest and no tag cannot
/// collide.
std::vector<Collision> find_collisions(std::span<const Naming> names);

}  // namespace airgap::image
