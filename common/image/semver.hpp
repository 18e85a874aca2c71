#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace airgap::image {

/// A version as semver.org orders them. What stands after '+' is left out, since it orders nothing.
struct SemanticVersion {
  std::uint64_t major = 0;
  std::uint64_t minor = 0;
  std::uint64_t patch = 0;
  std::string pre_release{};  ///< "rc.1"; empty for a release

  /// As tags are written: "1.2.3-rc.1", "v1.2", "1". Nothing when it is no version ("latest", "1.2.3.4").
  static std::optional<SemanticVersion> parse(std::string_view text);

  friend std::strong_ordering operator<=>(const SemanticVersion& a, const SemanticVersion& b);
  friend bool operator==(const SemanticVersion& a, const SemanticVersion& b) = default;
};

/// Which versions are wanted, as Masterminds/semver v3 (skopeo's images-by-semver) means it:
///   =1.2.3 !=1.2 >1 <2 >=1.2 <=1.2; ~1.2.3 (the minor stays), ^1.2.3 (the first number that is not 0 stays);
///   1.2.x, 1.*, 1 (any); 1.2 - 2.3 (both included); blank or comma is "and", || is "or".
/// A pre-release is taken only where a constraint of the same "and" names one: ">=1.0.0-0".
class SemverConstraint {
 public:
  /// Throws FormatError with the part at fault.
  static SemverConstraint parse(std::string_view text);

  const std::string& str() const noexcept { return m_text; }
  bool allows(const SemanticVersion& version) const;

 private:
  enum class Operator { equal, not_equal, greater, less, at_least, at_most, tilde, caret };
  struct Term {
    Operator op = Operator::equal;
    SemanticVersion version;
    std::size_t numbers = 3;  ///< how many were given: 1.2.x has 2, * has none; the others are 0 in `version`
    bool allows(const SemanticVersion& candidate) const;
  };
  using Terms = std::vector<Term>;
  friend class ConstraintParser;

  std::string m_text;
  std::vector<Terms> m_alternatives;
};

}  // namespace airgap::image
