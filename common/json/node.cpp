#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "common/diag/error.hpp"
#include "common/json/document_impl.hpp"
#include "common/json/reader.hpp"
#include "common/text/escape.hpp"

namespace airgap::json {
namespace {

using rapidjson::Value;

const Value& value_of(const void* node) {
  return *static_cast<const Value*>(node);
}

std::string describe(const Value& value) {
  if (value.IsNull()) return "null";
  if (value.IsBool()) return value.GetBool() ? "true" : "false";
  if (value.IsObject()) return "an object";
  if (value.IsArray()) return "an array";
  if (value.IsString()) return fmt::format("\"{}\"", text::escape(text_of(value), 60));
  if (value.IsInt64()) return fmt::to_string(value.GetInt64());
  if (value.IsUint64()) return fmt::to_string(value.GetUint64());
  return fmt::format("{:#}", value.GetDouble());
}

std::string pointer_token(std::string_view name) {
  std::string token;
  for (const char c : name) {
    token += c == '~' ? std::string("~0") : c == '/' ? std::string("~1") : std::string(1, c);
  }
  return text::escape(token, 60);
}

// A value on the way from the root, and the child that is visited next.
struct Step {
  const Value* value;
  std::size_t next = 0;
};

const Value* next_child(Step& step) {
  const auto index = static_cast<rapidjson::SizeType>(step.next++);
  if (step.value->IsArray() && index < step.value->Size()) return &(*step.value)[index];
  if (step.value->IsObject() && index < step.value->MemberCount())
    return &(step.value->MemberBegin() + index)->value;
  return nullptr;
}

std::string pointer_of(const std::vector<Step>& way) {
  std::string pointer;
  for (std::size_t i = 0; i + 1 < way.size(); ++i) {
    const std::size_t index = way[i].next - 1;
    pointer += '/';
    pointer += way[i].value->IsArray()
                   ? fmt::to_string(index)
                   : pointer_token(
                         text_of((way[i].value->MemberBegin() + static_cast<std::ptrdiff_t>(index))->name));
  }
  return pointer;
}

[[noreturn]] void expected(const Node& node, std::string_view what, const Value& found) {
  node.fail(fmt::format("expected {}, found {}", what, describe(found)));
}

const Value& object_of(const Node& node, const void* value) {
  if (!node.is_object()) expected(node, "an object", value_of(value));
  return value_of(value);
}

const Value* member(const Value& object, std::string_view name) {
  for (const auto& candidate : object.GetObject()) {
    if (text_of(candidate.name) == name) return &candidate.value;
  }
  return nullptr;
}

}  // namespace

bool Node::is_object() const noexcept {
  return value_of(m_value).IsObject();
}
bool Node::is_array() const noexcept {
  return value_of(m_value).IsArray();
}
bool Node::is_string() const noexcept {
  return value_of(m_value).IsString();
}

bool Node::contains(std::string_view name) const {
  return member(object_of(*this, m_value), name) != nullptr;
}

std::optional<Node> Node::find(std::string_view name) const {
  const Value* found = member(object_of(*this, m_value), name);
  if (found == nullptr || found->IsNull()) return std::nullopt;
  return m_document->node(*found);
}

Node Node::at(std::string_view name) const {
  const Value* found = member(object_of(*this, m_value), name);
  if (found == nullptr) fail(fmt::format("the member \"{}\" is missing", name));
  return m_document->node(*found);
}

std::string Node::string() const {
  if (!is_string()) expected(*this, "a string", value_of(m_value));
  return std::string(text_of(value_of(m_value)));
}

std::uint64_t Node::uint64() const {
  const Value& value = value_of(m_value);
  if (!value.IsInt64() || value.GetInt64() < 0) expected(*this, "an unsigned integer below 2^63", value);
  return value.GetUint64();
}

std::int64_t Node::int64() const {
  if (!value_of(m_value).IsInt64()) expected(*this, "an integer", value_of(m_value));
  return value_of(m_value).GetInt64();
}

std::size_t Node::size() const {
  const Value& value = value_of(m_value);
  if (value.IsArray()) return value.Size();
  return object_of(*this, m_value).MemberCount();
}

std::vector<Node> Node::elements() const {
  if (!is_array()) expected(*this, "an array", value_of(m_value));
  std::vector<Node> nodes;
  nodes.reserve(size());
  for (const Value& element : value_of(m_value).GetArray()) nodes.push_back(m_document->node(element));
  return nodes;
}

std::vector<std::pair<std::string_view, Node>> Node::members() const {
  std::vector<std::pair<std::string_view, Node>> nodes;
  nodes.reserve(object_of(*this, m_value).MemberCount());
  for (const auto& candidate : value_of(m_value).GetObject()) {
    nodes.emplace_back(text_of(candidate.name), m_document->node(candidate.value));
  }
  return nodes;
}

std::vector<std::string> Node::string_list() const {
  std::vector<std::string> texts;
  for (const Node& element : elements()) texts.push_back(element.string());
  return texts;
}

std::map<std::string, std::string, std::less<>> Node::string_map() const {
  std::map<std::string, std::string, std::less<>> texts;
  for (const auto& [name, value] : members()) texts.emplace(name, value.string());
  return texts;
}

std::optional<std::string> Node::optional_string(std::string_view name) const {
  const auto found = find(name);
  return found ? std::optional(found->string()) : std::nullopt;
}

std::optional<std::int64_t> Node::optional_int64(std::string_view name) const {
  const auto found = find(name);
  return found ? std::optional(found->int64()) : std::nullopt;
}

std::string Node::pointer() const {
  std::vector<Step> way{{&m_document->values}};
  while (!way.empty()) {
    if (way.back().value == m_value) break;
    if (const Value* child = next_child(way.back())) {
      way.push_back({child});
    } else {
      way.pop_back();
    }
  }
  return way.size() <= 1 ? "document" : pointer_of(way);
}

void Node::fail(std::string_view why) const {
  throw diag::FormatError(fmt::format("{}: {}", pointer(), why));
}

}  // namespace airgap::json
