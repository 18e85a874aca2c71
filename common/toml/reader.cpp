#include "common/toml/reader.hpp"

#include <fmt/format.h>
#include <toml++/toml.h>

#include "common/diag/error.hpp"
#include "common/text/escape.hpp"

namespace airgap::toml {
namespace {

class Converter {
 public:
  explicit Converter(const std::string& file) : m_file(file) {}

  std::string place_of(const ::toml::source_region& region) const {
    return fmt::format("{}:{}:{}", m_file, region.begin.line, region.begin.column);
  }

  // As deep as toml++ reads: 256 levels.
  Node convert(const ::toml::node& node) const {
    const std::string place = place_of(node.source());
    if (const auto* text = node.as_string()) return {Kind::text, place, text->get()};
    if (const auto* flag = node.as_boolean()) return {Kind::boolean, place, flag->get() ? "true" : "false"};
    if (const auto* list = node.as_array()) {
      Node elements(Kind::list, place);
      for (const ::toml::node& element : *list) elements.append(convert(element));
      return elements;
    }
    if (const auto* table = node.as_table()) {
      Node members(Kind::table, place);
      for (const auto& [key, value] : *table) members.add(std::string(key.str()), convert(value));
      return members;
    }
    return {Kind::other, place};
  }

 private:
  const std::string& m_file;
};

}  // namespace

Node read(std::string_view text, const std::string& file) {
  if (text.size() > k_max_document) {
    throw diag::UsageError(fmt::format("{} is larger than {} bytes", file, k_max_document));
  }
  const Converter converter(file);
  try {
    return converter.convert(::toml::parse(text));
  } catch (const ::toml::parse_error& error) {
    throw diag::UsageError(fmt::format("{}: this is not TOML: {}", converter.place_of(error.source()),
                                       text::escape(error.description())));
  }
}

}  // namespace airgap::toml
