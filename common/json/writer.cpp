#include "common/json/writer.hpp"

#include <fmt/format.h>
#include <rapidjson/memorystream.h>
#include <rapidjson/prettywriter.h>
#include <rapidjson/stringbuffer.h>

#include <cmath>
#include <variant>

#include "common/diag/error.hpp"
#include "common/text/escape.hpp"

namespace airgap::json {
namespace {

using Compact = rapidjson::Writer<rapidjson::StringBuffer>;
using Pretty = rapidjson::PrettyWriter<rapidjson::StringBuffer>;

// Where the checked bytes go: nowhere.
struct NullStream {
  void Put(char) {}
};

bool is_utf8(std::string_view text) {
  rapidjson::MemoryStream stream(text.data(), text.size());
  NullStream out;
  while (stream.Tell() < text.size()) {
    if (!rapidjson::UTF8<>::Validate(stream, out)) return false;
  }
  return true;
}

rapidjson::SizeType checked_size(std::string_view text) {
  if (!is_utf8(text)) {
    throw diag::FormatError(
        fmt::format("'{}' is not valid UTF-8 and cannot be written as JSON", text::escape(text)));
  }
  return static_cast<rapidjson::SizeType>(text.size());
}

}  // namespace

struct Writer::Impl {
  rapidjson::StringBuffer buffer;
  std::variant<std::monostate, Compact, Pretty> writer;

  template <class Call>
  void write(Call&& call) {
    if (auto* pretty = std::get_if<Pretty>(&writer))
      call(*pretty);
    else
      call(std::get<Compact>(writer));
  }
};

Writer::Writer(Style style) : m_impl(std::make_unique<Impl>()) {
  if (style == Style::pretty) {
    auto& pretty = m_impl->writer.emplace<Pretty>(m_impl->buffer);
    pretty.SetIndent(' ', 2);
    pretty.SetMaxDecimalPlaces(3);
  } else {
    m_impl->writer.emplace<Compact>(m_impl->buffer).SetMaxDecimalPlaces(3);
  }
}
Writer::~Writer() = default;
Writer::Writer(Writer&&) noexcept = default;
Writer& Writer::operator=(Writer&&) noexcept = default;

Writer& Writer::begin_object() {
  m_impl->write([](auto& out) { out.StartObject(); });
  return *this;
}
Writer& Writer::end_object() {
  m_impl->write([](auto& out) { out.EndObject(); });
  return *this;
}
Writer& Writer::begin_array() {
  m_impl->write([](auto& out) { out.StartArray(); });
  return *this;
}
Writer& Writer::end_array() {
  m_impl->write([](auto& out) { out.EndArray(); });
  return *this;
}
Writer& Writer::key(std::string_view name) {
  m_impl->write([&](auto& out) { out.Key(name.data(), checked_size(name)); });
  return *this;
}

Writer& Writer::value(std::string_view text) {
  m_impl->write([&](auto& out) { out.String(text.data(), checked_size(text)); });
  return *this;
}
Writer& Writer::value(double number) {
  if (!std::isfinite(number)) throw diag::InternalError("JSON has no infinite numbers");
  m_impl->write([&](auto& out) { out.Double(number); });
  return *this;
}
Writer& Writer::boolean(bool truth) {
  m_impl->write([&](auto& out) { out.Bool(truth); });
  return *this;
}
Writer& Writer::unsigned_integer(std::uint64_t number) {
  m_impl->write([&](auto& out) { out.Uint64(number); });
  return *this;
}
Writer& Writer::signed_integer(std::int64_t number) {
  m_impl->write([&](auto& out) { out.Int64(number); });
  return *this;
}
Writer& Writer::null() {
  m_impl->write([](auto& out) { out.Null(); });
  return *this;
}
Writer& Writer::raw(std::string_view json) {
  m_impl->write([&](auto& out) { out.RawValue(json.data(), json.size(), rapidjson::kObjectType); });
  return *this;
}

std::string Writer::str() const {
  bool complete = false;
  m_impl->write([&](auto& out) { complete = out.IsComplete(); });
  if (!complete) throw diag::InternalError("unfinished JSON text");
  std::string text(m_impl->buffer.GetString(), m_impl->buffer.GetSize());
  if (std::holds_alternative<Pretty>(m_impl->writer)) text += '\n';
  return text;
}

}  // namespace airgap::json
