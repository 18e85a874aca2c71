#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace airgap::json {

/// What a document from outside may cost, and how strict its member names are.
struct ParseLimits {
  std::size_t bytes = std::size_t{4} * 1024 * 1024;
  std::size_t depth = 64;
  std::size_t values = 1'000'000;  ///< scalars, arrays, objects and member names together
  /// Elsewhere two names in one object that differ only in letter case are refused, since readers disagree on
  /// which one counts; an object that is the value of one of these members is a free-form map and may have
  /// them.
  std::vector<std::string_view> free_form{"annotations", "labels",      "Labels",  "auths",
                                          "credHelpers", "HttpHeaders", "proxies", "plugins"};
};

class Node;

/// A parsed document. Owns everything its nodes view; nodes stay valid when it is moved.
class Document {
 public:
  /// Strict: UTF-8 without BOM, one value, no NUL, no trailing bytes, no duplicate names. Not recursive, so
  /// depth costs no stack. Throws FormatError with the byte or the JSON pointer at fault.
  static Document parse(std::string_view bytes, const ParseLimits& limits = {});
  ~Document();
  Document(Document&&) noexcept;
  Document& operator=(Document&&) noexcept;

  Node root() const;

  struct Impl;  ///< of this folder

 private:
  explicit Document(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> m_impl;
};

/// A view of one value, cheap to copy, valid as long as its document. Whatever has not the type that is asked
/// for throws FormatError: "/layers/3/size: expected an unsigned integer, found 1.5".
class Node {
 public:
  bool is_object() const noexcept;
  bool is_array() const noexcept;
  bool is_string() const noexcept;

  bool contains(std::string_view name) const;             ///< a member that is null included
  std::optional<Node> find(std::string_view name) const;  ///< absent and null alike are nullopt
  Node at(std::string_view name) const;                   ///< throws when it is absent

  std::string string() const;
  std::uint64_t uint64() const;  ///< an integer literal of 0 to 2^63-1
  std::int64_t int64() const;    ///< an integer literal
  std::vector<Node> elements() const;
  std::size_t size() const;  ///< of an array or object
  std::vector<std::pair<std::string_view, Node>> members()
      const;                                     ///< in document order; names live in the document
  std::vector<std::string> string_list() const;  ///< an array of strings
  std::map<std::string, std::string, std::less<>> string_map() const;  ///< an object whose values are strings

  std::optional<std::string> optional_string(std::string_view name) const;
  std::optional<std::int64_t> optional_int64(std::string_view name) const;

  std::string pointer()
      const;  ///< "/layers/3/size", safe to print; the root is "document". Walks the document.
  [[noreturn]] void fail(std::string_view why) const;  ///< throws FormatError: "<pointer>: <why>"

 private:
  friend struct Document::Impl;
  Node(const void* value, const Document::Impl* document) : m_value(value), m_document(document) {}

  const void* m_value;  // a rapidjson value
  const Document::Impl* m_document;
};

/// A member name as Go's decoder compares it, so that names two readers might take for one compare equal.
std::string fold_name(std::string_view name);

}  // namespace airgap::json
