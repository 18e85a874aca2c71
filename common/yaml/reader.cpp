#include "common/yaml/reader.hpp"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <optional>
#include <set>
#include <sstream>

#include "common/diag/error.hpp"
#include "common/text/escape.hpp"
#include "common/text/utf8.hpp"

namespace airgap::yaml {
namespace {

using File = std::shared_ptr<const std::string>;

[[noreturn]] void refuse(const Place& place, std::string_view why, std::string hint = {}) {
  throw diag::UsageError(fmt::format("{}: {}", place.str(), why), std::move(hint));
}

Place place_of(const File& file, const YAML::Mark& mark) {
  if (mark.is_null()) return {file, 1, 1};
  return {file, static_cast<std::size_t>(mark.line) + 1, static_cast<std::size_t>(mark.column) + 1};
}

Place place_at(const File& file, std::string_view text, std::size_t offset) {
  const std::string_view before = text.substr(0, offset);
  const std::size_t line_start = before.rfind('\n') + 1;  // npos + 1 is 0
  const auto lines = std::count(before.begin(), before.end(), '\n');
  return {file, static_cast<std::size_t>(lines) + 1, offset - line_start + 1};
}

[[noreturn]] void refuse_anchor(const Place& place) {
  refuse(place, "anchors and aliases are not taken",
         "write the value out; what begins with & or * as text needs quotes");
}

// Bytes that have no place in a document, whatever the parser makes of them (yaml-cpp passes them on).
void check_bytes(std::string_view text, const File& file, const Limits& limits) {
  if (text.size() > limits.bytes) {
    throw diag::UsageError(fmt::format("{} is larger than {} bytes", *file, limits.bytes));
  }
  if (const auto offset = text::invalid_utf8_at(text)) {
    refuse(place_at(file, text, *offset), "this is not UTF-8", "save the file as UTF-8");
  }
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const bool line_end = byte == '\r' && i + 1 < text.size() && text[i + 1] == '\n';
    if (byte >= 0x20 ? byte == 0x7f : byte != '\t' && byte != '\n' && !line_end) {
      refuse(place_at(file, text, i), fmt::format("byte {:#04x} cannot stand in YAML", byte));
    }
  }
}

// The commonest cause of errors that the parser tells in its own terms.
std::string hint_at_tabs(std::string_view text) {
  std::size_t number = 1;
  for (std::size_t start = 0; start < text.size(); ++number) {
    const std::size_t end = std::min(text.find('\n', start), text.size());
    const std::string_view line = text.substr(start, end - start);
    const std::string_view indent = line.substr(0, std::min(line.find_first_not_of(" \t"), line.size()));
    if (indent.size() < line.size() && indent.find('\t') != indent.npos)
      return fmt::format("line {} begins with a tab: YAML is indented by spaces alone", number);
    start = end + 1;
  }
  return "look for brackets and quotes that are not closed, and for lines that are not indented as those "
         "above";
}

/// Judges each event and builds the tree of those that pass.
class Builder : public YAML::EventHandler {
 public:
  Builder(std::string_view text, File file, const Limits& limits)
      : m_text(text), m_file(std::move(file)), m_limits(limits) {}

  Node take() {
    if (!m_root) throw diag::UsageError(*m_file + ":1:1: there is nothing in it");
    return std::move(*m_root);
  }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (m_root)
      refuse(place_of(m_file, mark), "a second document begins here", "put each into a file of its own");
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const Place place = checked(mark, "?", anchor);
    if (at_key()) refuse(place, "a key is missing before ':'");
    put(Node(Kind::null, place));
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override { refuse_anchor(place_of(m_file, mark)); }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    const Place place = checked(mark, tag == "!" ? "?" : tag, anchor);
    if (tag == "!") check_closed(mark, place);
    if (value.find('\0') != value.npos) refuse(place, "a NUL character cannot stand in text");
    Node scalar(Kind::scalar, place, value, tag == "!");
    if (!at_key()) return put(std::move(scalar));
    if (value == "<<" && tag != "!") refuse(place, "merge keys (<<) are not taken", "write the values out");
    if (!m_open.back().keys.insert(value).second) {
      refuse(place, fmt::format("duplicate key '{}'", text::escape(value)));
    }
    m_open.back().key = std::move(scalar);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(Kind::list, mark, tag, anchor);
  }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(Kind::map, mark, tag, anchor);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapEnd() override { close(); }

 private:
  /// A list or map whose end has not come yet.
  struct Open {
    Node node;
    std::optional<Node> key;  ///< of a map: what the next value belongs to
    std::set<std::string> keys;
  };

  bool at_key() const {
    return !m_open.empty() && m_open.back().node.kind() == Kind::map && !m_open.back().key;
  }

  Place checked(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor) {
    Place place = place_of(m_file, mark);
    if (anchor != 0) refuse_anchor(place);
    // yaml-cpp reports a lone '!' as it reports quotes.
    if ((!tag.empty() && tag != "?") || byte_at(mark) == '!') {
      refuse(place, "tags are not taken", "leave out what begins with '!', or put the value in quotes");
    }
    if (++m_nodes > m_limits.nodes) refuse(place, fmt::format("more than {} values", m_limits.nodes));
    return place;
  }

  char byte_at(const YAML::Mark& mark) const {
    const auto offset = static_cast<std::size_t>(mark.pos);
    return offset < m_text.size() ? m_text[offset] : '\n';
  }

  // yaml-cpp takes the end of the file for the closing quote.
  void check_closed(const YAML::Mark& mark, const Place& place) const {
    const char quote = byte_at(mark);
    if (quote != '"' && quote != '\'') return;
    for (auto i = static_cast<std::size_t>(mark.pos) + 1; i < m_text.size(); ++i) {
      if (quote == '"' && m_text[i] == '\\') {
        ++i;
      } else if (m_text[i] == quote) {
        if (quote == '"' || i + 1 == m_text.size() || m_text[i + 1] != quote) return;
        ++i;  // '' is a quote within
      }
    }
    refuse(place, "the closing quote is missing");
  }

  void open(Kind kind, const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor) {
    const Place place = checked(mark, tag, anchor);
    if (at_key()) refuse(place, "a key must be text", "put text with braces or brackets in quotes");
    if (m_open.size() == m_limits.depth)
      refuse(place, fmt::format("nested more than {} levels deep", m_limits.depth));
    m_open.push_back({Node(kind, place), {}, {}});
  }

  void close() {
    Node done = std::move(m_open.back().node);
    m_open.pop_back();
    put(std::move(done));
  }

  void put(Node value) {
    if (m_open.empty()) {
      m_root = std::move(value);
    } else if (Open& top = m_open.back(); top.node.kind() == Kind::list) {
      top.node.append(std::move(value));
    } else {
      top.node.add(std::move(*top.key), std::move(value));
      top.key.reset();
    }
  }

  std::string_view m_text;
  File m_file;
  const Limits& m_limits;
  std::size_t m_nodes = 0;
  std::vector<Open> m_open;
  std::optional<Node> m_root;
};

}  // namespace

Node read(std::string_view text, const std::string& file, const Limits& limits) {
  constexpr std::string_view k_bom = "\xef\xbb\xbf";
  if (text.starts_with(k_bom)) text.remove_prefix(k_bom.size());
  const auto name = std::make_shared<const std::string>(file);
  check_bytes(text, name, limits);
  std::istringstream stream{std::string(text)};
  Builder builder(text, name, limits);
  try {
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {
    }
  } catch (const YAML::Exception& error) {
    if (error.msg.starts_with(YAML::ErrorMsg::UNKNOWN_ANCHOR)) refuse_anchor(place_of(name, error.mark));
    refuse(place_of(name, error.mark), "this is not YAML: " + text::escape(error.msg), hint_at_tabs(text));
  }
  return builder.take();
}

}  // namespace airgap::yaml
