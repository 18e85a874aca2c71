#include "common/json/reader.hpp"

#include <fmt/format.h>
#include <rapidjson/error/en.h>
#include <rapidjson/reader.h>

#include <algorithm>

#include "common/diag/error.hpp"
#include "common/json/document_impl.hpp"
#include "common/json/syntax_error.hpp"
#include "common/text/escape.hpp"

namespace airgap::json {
namespace {

using rapidjson::SizeType;
using rapidjson::Value;

// Passes the parser's events on to the document until a limit is reached.
class LimitedHandler {
 public:
  LimitedHandler(rapidjson::Document& document, const ParseLimits& limits)
      : m_document(document), m_limits(limits) {}

  bool Null() { return counted() && m_document.Null(); }
  bool Bool(bool value) { return counted() && m_document.Bool(value); }
  bool Int(int value) { return counted() && m_document.Int(value); }
  bool Uint(unsigned value) { return counted() && m_document.Uint(value); }
  bool Int64(std::int64_t value) { return counted() && m_document.Int64(value); }
  bool Uint64(std::uint64_t value) { return counted() && m_document.Uint64(value); }
  bool Double(double value) { return counted() && m_document.Double(value); }
  bool RawNumber(const char*, SizeType, bool) { return false; }  // only with a flag that is not set
  bool String(const char* text, SizeType size, bool copy) {
    return counted() && m_document.String(text, size, copy);
  }
  bool Key(const char* text, SizeType size, bool copy) {
    return counted() && m_document.Key(text, size, copy);
  }
  bool StartObject() { return opened() && m_document.StartObject(); }
  bool EndObject(SizeType count) { return closed() && m_document.EndObject(count); }
  bool StartArray() { return opened() && m_document.StartArray(); }
  bool EndArray(SizeType count) { return closed() && m_document.EndArray(count); }

  const std::string& refusal() const { return m_refusal; }  // empty while within the limits

 private:
  bool counted() {
    if (++m_values <= m_limits.values) return true;
    m_refusal = fmt::format("holds more than {} values", m_limits.values);
    return false;
  }
  bool opened() {
    if (++m_depth <= m_limits.depth) return counted();
    m_refusal = fmt::format("is nested deeper than {} levels", m_limits.depth);
    return false;
  }
  bool closed() {
    --m_depth;
    return true;
  }

  rapidjson::Document& m_document;
  const ParseLimits& m_limits;
  std::size_t m_values = 0;
  std::size_t m_depth = 0;
  std::string m_refusal;
};

void check_bytes(std::string_view bytes, const ParseLimits& limits) {
  if (bytes.size() > limits.bytes) {
    throw diag::FormatError(
        fmt::format("JSON document of {} bytes is over the limit of {} bytes", bytes.size(), limits.bytes));
  }
  if (bytes.starts_with("\xef\xbb\xbf")) {
    throw SyntaxError("not valid JSON: it starts with a byte order mark");
  }
  if (const std::size_t nul = bytes.find('\0'); nul != std::string_view::npos) {
    throw SyntaxError(fmt::format("not valid JSON at byte {}: NUL", nul));
  }
}

// Fills `document` from `text`, in place.
void load(rapidjson::Document& document, std::string& text, const ParseLimits& limits) {
  constexpr unsigned k_flags = rapidjson::kParseInsituFlag | rapidjson::kParseIterativeFlag |
                               rapidjson::kParseValidateEncodingFlag | rapidjson::kParseFullPrecisionFlag;
  auto generate = [&](rapidjson::Document& values) {
    LimitedHandler handler(values, limits);
    rapidjson::InsituStringStream stream(text.data());
    rapidjson::Reader reader;
    const rapidjson::ParseResult result = reader.Parse<k_flags>(stream, handler);
    if (!result.IsError()) return true;
    if (!handler.refusal().empty()) {
      throw diag::FormatError(fmt::format("JSON document {} (byte {})", handler.refusal(), result.Offset()));
    }
    throw SyntaxError(fmt::format("not valid JSON at byte {}: {}", result.Offset(),
                                  rapidjson::GetParseError_En(result.Code())));
  };
  document.Populate(generate);
}

// RapidJSON turns a lone \udc00 into bytes that are no UTF-8, and to readers in C a NUL ends the text.
void check_text(const Node& node, std::string_view text) {
  if (text.find('\0') != std::string_view::npos) node.fail("the text holds a NUL character");
  for (std::size_t i = text.find('\xed'); i != std::string_view::npos; i = text.find('\xed', i + 1)) {
    if (i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) >= 0xa0) {
      node.fail("the text holds half of a surrogate pair");
    }
  }
}

// Refuses names that are one and the same for some reader.
void check_names(const Node& node, const Value& object, bool free_form) {
  std::vector<std::pair<std::string, std::string_view>> names;  // as compared, as written
  names.reserve(object.MemberCount());
  for (const auto& member : object.GetObject()) {
    const std::string_view name = text_of(member.name);
    check_text(node, name);
    names.emplace_back(free_form ? std::string(name) : fold_name(name), name);
  }
  std::sort(names.begin(), names.end());
  for (std::size_t i = 1; i < names.size(); ++i) {
    const auto& [folded, name] = names[i];
    const auto& [folded_before, before] = names[i - 1];
    if (folded != folded_before) continue;
    if (name == before) node.fail(fmt::format("duplicate member \"{}\"", text::escape(name, 60)));
    node.fail(fmt::format("the members \"{}\" and \"{}\" differ only in letter case",
                          text::escape(before, 60), text::escape(name, 60)));
  }
}

void check_content(const Document::Impl& document, const ParseLimits& limits) {
  struct Item {
    const Value* value;
    bool free_form;
  };
  const auto is_free_form = [&](std::string_view name) {
    return std::find(limits.free_form.begin(), limits.free_form.end(), name) != limits.free_form.end();
  };
  std::vector<Item> open{{&document.values, false}};
  while (!open.empty()) {
    const auto [value, free_form] = open.back();
    open.pop_back();
    if (value->IsString()) check_text(document.node(*value), text_of(*value));
    if (value->IsArray()) {
      for (const Value& element : value->GetArray()) open.push_back({&element, false});
    }
    if (value->IsObject()) {
      check_names(document.node(*value), *value, free_form);
      for (const auto& member : value->GetObject()) {
        open.push_back({&member.value, is_free_form(text_of(member.name))});
      }
    }
  }
}

}  // namespace

Document::Document(std::unique_ptr<Impl> impl) : m_impl(std::move(impl)) {}
Document::~Document() = default;
Document::Document(Document&&) noexcept = default;
Document& Document::operator=(Document&&) noexcept = default;

Document Document::parse(std::string_view bytes, const ParseLimits& limits) {
  check_bytes(bytes, limits);
  auto impl = std::make_unique<Impl>();
  impl->text = bytes;
  load(impl->values, impl->text, limits);
  check_content(*impl, limits);
  return Document(std::move(impl));
}

Node Document::root() const {
  return m_impl->node(m_impl->values);
}

std::string fold_name(std::string_view name) {
  std::string folded;
  folded.reserve(name.size());
  for (std::size_t i = 0; i < name.size(); ++i) {
    const char c = name[i];
    if (name.substr(i).starts_with("\xc5\xbf")) {  // U+017F, long s
      folded += 's';
      i += 1;
    } else if (name.substr(i).starts_with("\xe2\x84\xaa")) {  // U+212A, Kelvin sign
      folded += 'k';
      i += 2;
    } else {
      folded += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    }
  }
  return folded;
}

}  // namespace airgap::json
