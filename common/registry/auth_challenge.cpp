#include "common/registry/auth_challenge.hpp"

#include <algorithm>
#include <cstddef>
#include <string_view>

namespace airgap::registry {
namespace {

constexpr std::size_t k_max_challenges = 16;
constexpr std::size_t k_max_parameters = 32;
constexpr std::size_t k_max_field = std::size_t{64} << 10;  // bytes of one header field that are looked at
constexpr std::size_t k_max_value = std::size_t{8} << 10;

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool is_token_char(char c) {
  constexpr std::string_view k_others = "!#$%&'*+-.^_`|~";
  return (c >= '0' && c <= '9') || (lower(c) >= 'a' && lower(c) <= 'z') ||
         k_others.find(c) != std::string_view::npos;
}

class FieldParser {
 public:
  FieldParser(std::string_view field, std::vector<Challenge>& challenges)
      : m_rest(field.substr(0, k_max_field)), m_challenges(challenges) {}

  // A word is a scheme, unless '=' follows: then it is a parameter of the scheme before it.
  void parse() {
    while (skip_to_word()) {
      std::string word = take_word();
      skip_spaces();
      if (!at('=')) {
        start_challenge(std::move(word));
      } else {
        m_rest.remove_prefix(1);
        skip_spaces();
        add_parameter(std::move(word), at('"') ? take_quoted() : take_bare());
      }
    }
  }

 private:
  bool at(char c) const { return !m_rest.empty() && m_rest.front() == c; }

  void skip_spaces() {
    while (at(' ') || at('\t')) m_rest.remove_prefix(1);
  }

  bool skip_to_word() {
    while (!m_rest.empty() && !is_token_char(m_rest.front())) {
      if (at('"')) {
        static_cast<void>(take_quoted());  // a stray string: nothing inside it is a word
      } else {
        m_rest.remove_prefix(1);
      }
    }
    return !m_rest.empty();
  }

  std::string take_word() {
    std::string word;
    for (; !m_rest.empty() && is_token_char(m_rest.front()); m_rest.remove_prefix(1))
      word += lower(m_rest.front());
    return word;
  }

  std::string take_quoted() {
    std::string value;
    m_rest.remove_prefix(1);
    for (; !m_rest.empty() && !at('"'); m_rest.remove_prefix(1)) {
      if (at('\\') && m_rest.size() > 1) m_rest.remove_prefix(1);
      value += m_rest.front();
    }
    if (!m_rest.empty()) m_rest.remove_prefix(1);
    return value;
  }

  std::string take_bare() {
    const std::size_t end = std::min(m_rest.find_first_of(", \t"), m_rest.size());
    std::string value(m_rest.substr(0, end));
    m_rest.remove_prefix(end);
    return value;
  }

  void start_challenge(std::string scheme) {
    m_current = m_challenges.size() < k_max_challenges;
    if (m_current) m_challenges.push_back({std::move(scheme), {}});
  }

  void add_parameter(std::string name, std::string value) {
    if (!m_current || value.size() > k_max_value) return;
    auto& parameters = m_challenges.back().parameters;
    if (parameters.size() < k_max_parameters) parameters.emplace(std::move(name), std::move(value));
  }

  std::string_view m_rest;
  std::vector<Challenge>& m_challenges;
  bool m_current = false;  // whether m_challenges.back() is the challenge that parameters belong to
};

}  // namespace

std::optional<std::string> Challenge::find(const std::string& name) const {
  const auto found = parameters.find(name);
  return found == parameters.end() ? std::nullopt : std::optional(found->second);
}

std::vector<Challenge> parse_challenges(const std::vector<std::string>& fields) {
  std::vector<Challenge> challenges;
  for (const std::string& field : fields) FieldParser(field, challenges).parse();
  return challenges;
}

std::optional<Challenge> usable_challenge(const std::vector<Challenge>& challenges) {
  const auto first = [&](auto&& answerable) {
    const auto found = std::find_if(challenges.begin(), challenges.end(), answerable);
    return found == challenges.end() ? std::nullopt : std::optional(*found);
  };
  const auto bearer =
      first([](const Challenge& one) { return one.scheme == "bearer" && one.find("realm").has_value(); });
  return bearer ? bearer : first([](const Challenge& one) { return one.scheme == "basic"; });
}

}  // namespace airgap::registry
