#include "common/toml/node.hpp"

#include <fmt/format.h>

#include "common/diag/error.hpp"

namespace airgap::toml {
namespace {

std::string_view name_of(Kind kind) {
  switch (kind) {
    case Kind::text:
      return "text";
    case Kind::boolean:
      return "true or false";
    case Kind::list:
      return "a list";
    case Kind::table:
      return "a table";
    case Kind::other:
      break;
  }
  return "a number or a time";
}

}  // namespace

Node::Node(Kind kind, std::string place, std::string text)
    : m_kind(kind), m_place(std::move(place)), m_text(std::move(text)) {}

void Node::fail(std::string_view why, std::string hint) const {
  throw diag::UsageError(fmt::format("{}: {}", m_place, why), std::move(hint));
}

void Node::expect(Kind kind) const {
  if (m_kind != kind) fail(fmt::format("expected {}, found {}", name_of(kind), name_of(m_kind)));
}

const std::string& Node::text() const {
  expect(Kind::text);
  return m_text;
}

bool Node::boolean() const {
  expect(Kind::boolean);
  return m_text == "true";
}

const std::vector<Node>& Node::elements() const {
  expect(Kind::list);
  return m_elements;
}

const std::vector<Member>& Node::members() const {
  expect(Kind::table);
  return m_members;
}

const Node* Node::find(std::string_view name) const {
  for (const Member& member : members()) {
    if (member.key == name) return &member.value;
  }
  return nullptr;
}

void Node::append(Node element) {
  m_elements.push_back(std::move(element));
}

void Node::add(std::string key, Node value) {
  m_members.push_back({std::move(key), std::move(value)});
}

}  // namespace airgap::toml
