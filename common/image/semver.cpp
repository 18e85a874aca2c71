#include "common/image/semver.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <tuple>

#include "common/diag/error.hpp"
#include "common/text/escape.hpp"

namespace airgap::image {
namespace {

constexpr std::string_view k_identifier = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-";

bool is_number(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == text.npos;
}

// Nothing for what is no number or larger than one may be.
std::optional<std::uint64_t> number(std::string_view text) {
  std::uint64_t value = 0;
  if (!is_number(text)) return std::nullopt;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{}) return std::nullopt;
  return value;
}

// Takes the part before the next dot off.
std::string_view next_part(std::string_view& rest) {
  const std::size_t dot = rest.find('.');
  const std::string_view part = rest.substr(0, dot);
  rest = dot == rest.npos ? std::string_view{} : rest.substr(dot + 1);
  return part;
}

// "rc.1": parts of letters, digits and dashes; numbers without leading zeros, which pre-releases may not
// have.
bool are_identifiers(std::string_view text, bool zeros_may_lead) {
  if (text.empty() || text.ends_with('.')) return false;
  while (!text.empty()) {
    const std::string_view part = next_part(text);
    if (part.empty() || part.find_first_not_of(k_identifier) != part.npos) return false;
    if (!zeros_may_lead && part.size() > 1 && part.front() == '0' && is_number(part)) return false;
  }
  return true;
}

/// "1.2.3-rc.1+build", cut into its parts; the first is left as text since it may be 1.x.
struct Pieces {
  std::string_view numbers;
  std::string_view pre_release;
};
std::optional<Pieces> split(std::string_view text) {
  if (text.starts_with('v')) text.remove_prefix(1);
  if (const std::size_t plus = text.find('+'); plus != text.npos) {
    if (!are_identifiers(text.substr(plus + 1), true)) return std::nullopt;
    text = text.substr(0, plus);
  }
  Pieces pieces{.numbers = text.substr(0, text.find('-')), .pre_release = {}};
  if (pieces.numbers.size() != text.size()) {
    pieces.pre_release = text.substr(pieces.numbers.size() + 1);
    if (!are_identifiers(pieces.pre_release, false)) return std::nullopt;
  }
  const auto dots = std::count(pieces.numbers.begin(), pieces.numbers.end(), '.');
  if (dots > 2 || pieces.numbers.ends_with('.')) return std::nullopt;
  return pieces;
}

std::uint64_t& nth(SemanticVersion& version, std::size_t n) {
  return n == 0 ? version.major : n == 1 ? version.minor : version.patch;
}

// Numbers by value and below words, words by bytes; semver.org 11.4.
std::strong_ordering compare_identifiers(std::string_view a, std::string_view b) {
  if (is_number(a) != is_number(b)) {
    return is_number(a) ? std::strong_ordering::less : std::strong_ordering::greater;
  }
  if (is_number(a) && a.size() != b.size()) return a.size() <=> b.size();  // no zeros lead
  return a <=> b;
}

std::strong_ordering compare_pre_releases(std::string_view a, std::string_view b) {
  if (a.empty() || b.empty()) return a.empty() <=> b.empty();  // a release is above its pre-releases
  while (!a.empty() && !b.empty()) {
    if (const auto order = compare_identifiers(next_part(a), next_part(b)); order != 0) return order;
  }
  return b.empty() <=> a.empty();  // more parts are above fewer
}

}  // namespace

std::optional<SemanticVersion> SemanticVersion::parse(std::string_view text) {
  const auto pieces = split(text);
  if (!pieces) return std::nullopt;
  SemanticVersion version{.pre_release = std::string(pieces->pre_release)};
  std::string_view rest = pieces->numbers;
  for (std::size_t n = 0; n == 0 || !rest.empty(); ++n) {
    const auto value = number(next_part(rest));
    if (!value) return std::nullopt;
    nth(version, n) = *value;
  }
  return version;
}

std::strong_ordering operator<=>(const SemanticVersion& a, const SemanticVersion& b) {
  const auto order = std::tie(a.major, a.minor, a.patch) <=> std::tie(b.major, b.minor, b.patch);
  return order != 0 ? order : compare_pre_releases(a.pre_release, b.pre_release);
}

/// Reads a constraint from left to right.
class ConstraintParser {
 public:
  explicit ConstraintParser(std::string_view text) : m_whole(text) {}

  SemverConstraint parse() {
    SemverConstraint constraint;
    constraint.m_text = m_whole;
    std::string_view rest = m_whole;
    for (;;) {
      const std::size_t bars = rest.find("||");
      constraint.m_alternatives.push_back(alternative(rest.substr(0, bars)));
      if (bars == rest.npos) return constraint;
      rest.remove_prefix(bars + 2);
    }
  }

 private:
  using Operator = SemverConstraint::Operator;
  using Term = SemverConstraint::Term;

  [[noreturn]] void refuse(std::string_view why) const {
    throw diag::FormatError(fmt::format("bad version constraint '{}': {}", text::escape(m_whole), why),
                            "a constraint looks like '>=1.2, <2', '~1.4', '^2', '1.x' or '1.2 - 1.5 || 3'");
  }

  SemverConstraint::Terms alternative(std::string_view text) {
    m_rest = text;
    skip_blanks();
    SemverConstraint::Terms terms;
    for (;;) {
      term(terms);
      const bool blank = skip_blanks();
      if (m_rest.empty()) return terms;
      if (m_rest.front() == ',') {
        m_rest.remove_prefix(1);
        skip_blanks();
      } else if (!blank) {
        refuse(fmt::format("a blank or a comma is missing before '{}'", text::escape(m_rest)));
      }
    }
  }

  // One term, or the two of "1.2 - 2.3".
  void term(SemverConstraint::Terms& terms) {
    const bool plain =
        m_rest.empty() || std::string_view("=!<>~^").find(m_rest.front()) == std::string_view::npos;
    Term first{.op = read_operator(), .version = {}, .numbers = 0};
    read_version(first);
    const std::string_view after = m_rest;
    if (plain && skip_blanks() && m_rest.starts_with('-')) {
      m_rest.remove_prefix(1);
      if (!skip_blanks()) refuse("a blank is missing after '-'");
      Term last{.op = Operator::at_most, .version = {}, .numbers = 0};
      read_version(last);
      first.op = Operator::at_least;
      terms.push_back(std::move(first));
      terms.push_back(std::move(last));
      return;
    }
    m_rest = after;
    terms.push_back(std::move(first));
  }

  Operator read_operator() {
    using Spelling = std::pair<std::string_view, Operator>;
    constexpr std::array k_operators{Spelling{"!=", Operator::not_equal}, Spelling{">=", Operator::at_least},
                                     Spelling{"=>", Operator::at_least},  Spelling{"<=", Operator::at_most},
                                     Spelling{"=<", Operator::at_most},   Spelling{"~>", Operator::tilde},
                                     Spelling{"=", Operator::equal},      Spelling{">", Operator::greater},
                                     Spelling{"<", Operator::less},       Spelling{"~", Operator::tilde},
                                     Spelling{"^", Operator::caret}};
    for (const auto& [spelling, op] : k_operators) {
      if (!m_rest.starts_with(spelling)) continue;
      m_rest.remove_prefix(spelling.size());
      skip_blanks();
      return op;
    }
    return Operator::equal;
  }

  void read_version(Term& term) {
    const std::size_t length = std::min(m_rest.find_first_of(" \t,=!<>~^"), m_rest.size());
    const std::string_view word = m_rest.substr(0, length);
    if (word.empty()) refuse("a version is missing");
    m_rest.remove_prefix(length);
    const auto pieces = split(word);
    if (!pieces) refuse(fmt::format("'{}' is no version", text::escape(word)));
    term.version.pre_release = pieces->pre_release;
    bool any = false;  // after an x all is
    std::string_view rest = pieces->numbers;
    for (std::size_t n = 0; n == 0 || !rest.empty(); ++n) {
      const std::string_view part = next_part(rest);
      const bool wildcard = part == "x" || part == "X" || part == "*";
      const auto value = number(part);
      if (!wildcard && !value) refuse(fmt::format("'{}' is no version", text::escape(word)));
      any = any || wildcard;
      if (any) continue;
      nth(term.version, n) = *value;
      term.numbers = n + 1;
    }
  }

  bool skip_blanks() {
    const std::size_t first = std::min(m_rest.find_first_not_of(" \t"), m_rest.size());
    m_rest.remove_prefix(first);
    return first != 0;
  }

  std::string_view m_whole;
  std::string_view m_rest;  // of the current alternative
};

SemverConstraint SemverConstraint::parse(std::string_view text) {
  return ConstraintParser(text).parse();
}

bool SemverConstraint::allows(const SemanticVersion& version) const {
  return std::any_of(m_alternatives.begin(), m_alternatives.end(), [&](const Terms& terms) {
    const bool names_pre_release = std::any_of(
        terms.begin(), terms.end(), [](const Term& term) { return !term.version.pre_release.empty(); });
    if (!version.pre_release.empty() && !names_pre_release) return false;
    return std::all_of(terms.begin(), terms.end(), [&](const Term& term) { return term.allows(version); });
  });
}

// Compares the numbers that were given: 1.4.7 is within 1.4, and so neither greater nor less than it.
bool SemverConstraint::Term::allows(const SemanticVersion& candidate) const {
  const bool same_major = numbers < 1 || candidate.major == version.major;
  const bool same_minor = same_major && (numbers < 2 || candidate.minor == version.minor);
  const bool within = same_minor && (numbers < 3 || candidate.patch == version.patch);
  switch (op) {
    case Operator::equal:
      return numbers == 3 ? candidate == version : within && candidate >= version;
    case Operator::not_equal:
      if (numbers == 3) return candidate != version;
      return !within || (numbers == 2 && candidate.pre_release != version.pre_release);
    case Operator::greater:
      return candidate > version && (numbers == 3 || !within);
    case Operator::less:
      return candidate < version;
    case Operator::at_least:
      return candidate >= version;
    case Operator::at_most:
      return candidate <= version || (numbers != 3 && within);
    case Operator::tilde:
      // ~0.0.0 is as good as *: so has the original.
      if (numbers == 3 && version.major + version.minor + version.patch == 0) return candidate >= version;
      return candidate >= version && same_minor;
    case Operator::caret:
      break;
  }
  if (candidate < version) return false;
  if (version.major > 0 || numbers < 2) return same_major;
  if (version.minor > 0 || numbers < 3) return same_minor;
  return within;
}

}  // namespace airgap::image
