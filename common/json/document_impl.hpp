#pragma once

#include <rapidjson/document.h>

#include <string>
#include <string_view>

#include "common/json/reader.hpp"

namespace airgap::json {

/// What Document hides: for the .cpp files of this folder.
struct Document::Impl {
  std::string text;  ///< the parser works in place, so the strings of `values` point into it
  rapidjson::Document values;

  Node node(const rapidjson::Value& value) const { return {&value, this}; }
};

inline std::string_view text_of(const rapidjson::Value& value) {
  return {value.GetString(), value.GetStringLength()};
}

}  // namespace airgap::json
