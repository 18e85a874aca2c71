#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace re2 {
class RE2;
}

namespace airgap::text {

/// A regular expression in RE2's syntax, which is Go's: linear time whatever the text. Cheap to copy;
/// thread-safe.
class Pattern {
 public:
  /// Nothing when it is malformed or too large (1 KiB of text, 1 MiB compiled); `why` is then the end of a
  /// sentence.
  static std::optional<Pattern> compile(std::string_view expression, std::string& why);

  const std::string& str() const noexcept;
  /// Whether it matches anywhere in the text, as skopeo has it; '^' and '$' tie it to the ends.
  bool found_in(std::string_view text) const;

 private:
  explicit Pattern(std::shared_ptr<const re2::RE2> compiled) : m_compiled(std::move(compiled)) {}
  std::shared_ptr<const re2::RE2> m_compiled;
};

}  // namespace airgap::text
