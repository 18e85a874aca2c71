#pragma once

#include <concepts>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

namespace airgap::json {

/// Writes one JSON value, members in the order of the calls, so equal calls give equal bytes.
/// `pretty` indents by two spaces and ends with a newline; `compact` is one line without one.
/// Text must be UTF-8: anything else throws FormatError, so paths and foreign text go through text::escape.
class Writer {
 public:
  enum class Style { pretty, compact };

  explicit Writer(Style style = Style::pretty);
  ~Writer();
  Writer(Writer&&) noexcept;
  Writer& operator=(Writer&&) noexcept;

  Writer& begin_object();
  Writer& end_object();
  Writer& begin_array();
  Writer& end_array();
  Writer& key(std::string_view name);

  Writer& value(std::string_view text);
  Writer& value(const char* text) { return value(std::string_view(text)); }
  Writer& value(double number);  ///< at most three decimals (seconds); must be finite
  template <std::integral T>
  Writer& value(T number) {
    if constexpr (std::is_same_v<T, bool>)
      return boolean(number);
    else if constexpr (std::is_unsigned_v<T>)
      return unsigned_integer(number);
    else
      return signed_integer(number);
  }
  Writer& null();
  Writer& raw(std::string_view json);  ///< a whole value that is JSON already, copied as it is

  template <class T>
  Writer& member(std::string_view name, const T& content) {
    return key(name).value(content);
  }
  /// Writes nothing when `content` is empty.
  template <class T>
  Writer& member(std::string_view name, const std::optional<T>& content) {
    return content ? key(name).value(*content) : *this;
  }

  /// The finished text. Every begin must have had its end.
  std::string str() const;

 private:
  Writer& boolean(bool truth);
  Writer& unsigned_integer(std::uint64_t number);
  Writer& signed_integer(std::int64_t number);

  struct Impl;
  std::unique_ptr<Impl> m_impl;
};

}  // namespace airgap::json
