#include "common/yaml/node.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "common/diag/error.hpp"
#include "common/text/escape.hpp"
#include "common/text/nearest.hpp"

namespace airgap::yaml {
namespace {

std::string_view name_of(Kind kind) {
  switch (kind) {
    case Kind::null:
      return "nothing";
    case Kind::scalar:
      return "text";
    case Kind::list:
      return "a list";
    case Kind::map:
      break;
  }
  return "a map";
}

}  // namespace

std::string Place::str() const {
  return fmt::format("{}:{}:{}", *file, line, column);
}

Node::Node(Kind kind, Place place, std::string text, bool quoted)
    : m_kind(kind), m_place(std::move(place)), m_text(std::move(text)), m_quoted(quoted) {}

void Node::fail(std::string_view why, std::string hint) const {
  throw diag::UsageError(fmt::format("{}: {}", m_place.str(), why), std::move(hint));
}

void Node::expect(Kind kind, std::string_view what) const {
  if (m_kind != kind) fail(fmt::format("expected {}, found {}", what, name_of(m_kind)));
}

const std::string& Node::text() const {
  expect(Kind::scalar, "text");
  return m_text;
}

bool Node::boolean() const {
  constexpr std::array k_true{"true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON"};
  constexpr std::array k_false{"false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF"};
  const auto is_one_of = [this](const auto& words) {
    return std::find(words.begin(), words.end(), m_text) != words.end();
  };
  if (is_scalar() && !m_quoted) {
    if (is_one_of(k_true)) return true;
    if (is_one_of(k_false)) return false;
  }
  fail("expected true or false");
}

const std::vector<Node>& Node::elements() const {
  expect(Kind::list, "a list");
  return m_elements;
}

const std::vector<Member>& Node::members() const {
  expect(Kind::map, "a map");
  return m_members;
}

const Node* Node::find(std::string_view name) const {
  for (const Member& member : members()) {
    if (member.key.text() == name) return member.value.is_null() ? nullptr : &member.value;
  }
  return nullptr;
}

void Node::refuse_unknown(const std::vector<std::string>& known, Echo echo) const {
  for (const auto& [key, value] : members()) {
    const std::string& name = key.text();
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    const auto meant = text::nearest(name, known);
    key.fail(echo == Echo::yes
                 ? fmt::format("unknown key '{}'", text::escape(name))
                 : std::string("unknown key, not shown here since it may be a secret in the wrong place"),
             meant ? fmt::format("did you mean '{}'?", *meant)
                   : fmt::format("there are: {}", fmt::join(known, ", ")));
  }
}

void Node::append(Node element) {
  m_elements.push_back(std::move(element));
}

void Node::add(Node key, Node value) {
  m_members.push_back({std::move(key), std::move(value)});
}

}  // namespace airgap::yaml
