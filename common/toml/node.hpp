#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace airgap::toml {

enum class Kind { text, boolean, list, table, other };  ///< other: numbers, dates and times

struct Member;

/// A value of a document, with all below it. What has not the kind that is asked for throws UsageError:
/// "registries.conf:3:12: expected true or false, found text".
class Node {
 public:
  Node(Kind kind, std::string place, std::string text = {});

  Kind kind() const noexcept { return m_kind; }
  const std::string& place() const noexcept { return m_place; }  ///< "registries.conf:3:12"

  const std::string& text() const;
  bool boolean() const;
  const std::vector<Node>& elements() const;
  const std::vector<Member>& members() const;     ///< sorted by key, as TOML gives them no order
  const Node* find(std::string_view name) const;  ///< of a table; nullptr when absent

  /// Throws UsageError "<place>: <why>".
  [[noreturn]] void fail(std::string_view why, std::string hint = {}) const;

  void append(Node element);              ///< to a list
  void add(std::string key, Node value);  ///< to a table

 private:
  void expect(Kind kind) const;

  Kind m_kind;
  std::string m_place;
  std::string m_text;  ///< of text; "true" or "false"
  std::vector<Node> m_elements;
  std::vector<Member> m_members;
};

struct Member {
  std::string key;
  Node value;
};

}  // namespace airgap::toml
