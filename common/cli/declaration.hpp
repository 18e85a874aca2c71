#pragma once

#include <cstddef>
#include <string>
#include <variant>
#include <vector>

#include "common/cli/app.hpp"

namespace airgap::cli {

/// An option as a command declared it; `target` is borrowed.
struct DeclaredOption {
  std::vector<std::string> names;  ///< "-o", "--output"
  std::string placeholder;         ///< empty for flags
  std::string help;
  std::string group;
  bool required = false;
  NumberRange range{};
  std::variant<bool*, std::string*, std::vector<std::string>*, std::size_t*> target;

  bool is_flag() const { return std::holds_alternative<bool*>(target); }
  const std::string& name() const { return names.back(); }  ///< the one that messages use
};

struct DeclaredPositional {
  std::string name;
  std::string help;
  std::size_t minimum = 1;
  std::variant<std::string*, std::vector<std::string>*> target;

  bool is_list() const { return std::holds_alternative<std::vector<std::string>*>(target); }
};

struct Example {
  std::string command_line;
  std::string what_it_does;
};

/// All that is known of a command before its arguments are.
struct Declaration {
  std::string program;
  std::string command;
  std::string summary;
  std::vector<DeclaredPositional> positionals;
  std::vector<DeclaredOption> options;
  std::vector<Example> examples;
};

}  // namespace airgap::cli
