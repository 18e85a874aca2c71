#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/diag/error.hpp"

namespace airgap::yaml {

/// Where a value stands; lines and columns count from 1, columns in bytes.
struct Place {
  std::shared_ptr<const std::string> file;  ///< as messages name it
  std::size_t line = 1;
  std::size_t column = 1;
  std::string str() const;  ///< "images.yaml:3:5"
};

enum class Kind { null, scalar, list, map };

struct Member;

/// A value of a document, with all below it. What has not the kind that is asked for throws UsageError:
/// "images.yaml:3:5: expected a list, found text".
class Node {
 public:
  Node(Kind kind, Place place, std::string text = {}, bool quoted = false);

  Kind kind() const noexcept { return m_kind; }
  bool is_null() const noexcept { return m_kind == Kind::null; }
  bool is_scalar() const noexcept { return m_kind == Kind::scalar; }
  std::string place() const { return m_place.str(); }

  const std::string& text() const;  ///< a scalar as written: 1.10 stays 1.10, and `no` stays no
  bool quoted() const noexcept { return m_quoted; }  ///< or a block scalar: surely meant as text
  bool boolean() const;  ///< unquoted, in the spellings of YAML 1.1: true, no, Off
  const std::vector<Node>& elements() const;
  const std::vector<Member>& members() const;     ///< in document order
  const Node* find(std::string_view name) const;  ///< absent and null alike are nullptr

  enum class Echo { yes, no };
  /// Throws UsageError for a member that is none of `known`, with the nearest of them. Echo::no keeps the
  /// name out of the message, where it might be a secret in the wrong place.
  void refuse_unknown(const std::vector<std::string>& known, Echo echo = Echo::yes) const;
  /// Throws UsageError "<place>: <why>".
  [[noreturn]] void fail(std::string_view why, std::string hint = {}) const;

  void append(Node element);       ///< to a list
  void add(Node key, Node value);  ///< to a map

 private:
  void expect(Kind kind, std::string_view what) const;

  Kind m_kind;
  Place m_place;
  std::string m_text;
  bool m_quoted;
  std::vector<Node> m_elements;
  std::vector<Member> m_members;
};

struct Member {
  Node key;  ///< a scalar
  Node value;
};

/// What `parse` returns; a FormatError of it is told with the place of `node`, as UsageError.
template <class Parse>
auto parsed_at(const Node& node, Parse&& parse) {
  try {
    return parse();
  } catch (const diag::FormatError& error) {
    node.fail(error.message(), error.hint());
  }
}

}  // namespace airgap::yaml
