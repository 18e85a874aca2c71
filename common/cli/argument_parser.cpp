#include "common/cli/argument_parser.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <map>

#include "common/diag/error.hpp"
#include "common/text/escape.hpp"
#include "common/text/nearest.hpp"

namespace airgap::cli {
namespace {

using diag::UsageError;

// What CLI11 found: the values of each option in order, and all that is not an option.
struct Found {
  std::map<const DeclaredOption*, std::vector<std::string>> values;  // flags have one a use
  std::vector<std::string> rest;
  bool help = false;
};

[[noreturn]] void refuse_unknown(const Declaration& declaration, const std::string& argument) {
  const std::string typed = argument.substr(0, argument.find('='));
  std::vector<std::string> known{"--help"};
  for (const DeclaredOption& option : declaration.options) {
    known.insert(known.end(), option.names.begin(), option.names.end());
  }
  const auto meant = typed.size() > 2 ? text::nearest(typed, known) : std::nullopt;
  throw UsageError(fmt::format("unknown option '{}'{}", text::escape(typed),
                               meant ? fmt::format("; did you mean '{}'?", *meant) : ""));
}

// CLI11 would take the next argument as the value of "--name=".
void refuse_empty_values(const Declaration& declaration, const std::vector<std::string>& arguments) {
  for (const std::string& argument : arguments) {
    for (const DeclaredOption& option : declaration.options) {
      if (argument == option.name() + "=") throw UsageError(fmt::format("{} needs a value", option.name()));
    }
  }
}

// CLI11's messages begin with the option's name, with or without dashes.
const DeclaredOption* option_named(const Declaration& declaration, std::string_view text) {
  const auto bare = [](std::string_view name) {
    return name.substr(std::min(name.find_first_not_of('-'), name.size()));
  };
  const std::string_view first = bare(text.substr(0, text.find_first_of(": ")));
  for (const DeclaredOption& option : declaration.options) {
    for (const std::string& name : option.names) {
      if (first == bare(name)) return &option;
    }
  }
  return nullptr;
}

[[noreturn]] void refuse_mismatch(const Declaration& declaration, const CLI::ParseError& error) {
  const DeclaredOption* option = option_named(declaration, error.what());
  if (option == nullptr) throw UsageError(text::escape(error.what()));
  if (option->is_flag()) throw UsageError(fmt::format("{} takes no value", option->name()));
  throw UsageError(
      fmt::format("{} needs a value: {} {}", option->name(), option->name(), option->placeholder));
}

Found tokenize(const Declaration& declaration, std::vector<std::string> arguments) {
  Found found;
  std::vector<std::string> after_dashes;
  if (const auto dashes = std::find(arguments.begin(), arguments.end(), "--"); dashes != arguments.end()) {
    after_dashes.assign(dashes + 1, arguments.end());
    arguments.erase(dashes, arguments.end());
  }
  refuse_empty_values(declaration, arguments);

  CLI::App parser;
  parser.set_help_flag();
  parser.allow_extras();
  CLI::Option* help = parser.add_flag("-h,--help");
  std::map<const DeclaredOption*, CLI::Option*> options;
  for (const DeclaredOption& option : declaration.options) {
    const std::string names = fmt::format("{}", fmt::join(option.names, ","));
    options[&option] = option.is_flag()
                           ? parser.add_flag(names)->disable_flag_override()
                           : parser.add_option(names, found.values[&option])->allow_extra_args(false);
  }
  try {
    std::reverse(arguments.begin(), arguments.end());  // CLI11 takes them from the back
    parser.parse(std::move(arguments));
  } catch (const CLI::ParseError& error) {
    refuse_mismatch(declaration, error);
  }
  for (const auto& [option, parsed] : options) {
    if (option->is_flag()) found.values[option].assign(parsed->count(), "true");
  }
  found.help = help->count() > 0;
  for (std::string& extra : parser.remaining()) {
    if (extra.size() > 1 && extra.front() == '-' && !found.help) refuse_unknown(declaration, extra);
    found.rest.push_back(std::move(extra));
  }
  found.rest.insert(found.rest.end(), after_dashes.begin(), after_dashes.end());
  return found;
}

void assign(const DeclaredOption& option, const std::vector<std::string>& values) {
  if (values.empty()) {
    if (option.required) throw UsageError(fmt::format("{} {} is missing", option.name(), option.placeholder));
    return;
  }
  if (auto* list = std::get_if<std::vector<std::string>*>(&option.target)) {
    **list = values;
  } else if (auto* flag = std::get_if<bool*>(&option.target)) {
    **flag = true;
  } else if (values.size() > 1) {
    throw UsageError(fmt::format("{} is given {} times", option.name(), values.size()));
  } else if (auto* text = std::get_if<std::string*>(&option.target)) {
    if (values[0].empty()) throw UsageError(fmt::format("{} is empty", option.name()));
    **text = values[0];
  } else if (!parse_number(values[0], option.range, *std::get<std::size_t*>(option.target))) {
    const std::string range = option.range.most == SIZE_MAX
                                  ? fmt::format("from {} on", option.range.least)
                                  : fmt::format("from {} to {}", option.range.least, option.range.most);
    throw UsageError(
        fmt::format("{}: expected a number {}, found '{}'", option.name(), range, text::escape(values[0])));
  }
}

// "BUNDLE... REGISTRY"
std::string expected_arguments(const Declaration& declaration) {
  std::string names;
  for (const DeclaredPositional& positional : declaration.positionals) {
    if (!names.empty()) names += ' ';
    names += positional.name;
    if (positional.is_list()) names += "...";
  }
  return names;
}

// Which one is missing is clear only where nothing was given or one is wanted.
[[noreturn]] void refuse_missing(const Declaration& declaration, const DeclaredPositional& missing,
                                 const std::vector<std::string>& rest) {
  if (rest.empty()) throw UsageError(fmt::format("{} is missing", missing.name));
  throw UsageError(fmt::format("expected {}, found '{}' alone", expected_arguments(declaration),
                               text::escape(fmt::format("{}", fmt::join(rest, " ")))));
}

// Single ones take one each, the list takes what they leave.
void distribute(const Declaration& declaration, const std::vector<std::string>& rest) {
  const auto& declared = declaration.positionals;
  const auto singles = static_cast<std::size_t>(std::count_if(
      declared.begin(), declared.end(), [](const DeclaredPositional& p) { return !p.is_list(); }));
  const std::size_t for_list = rest.size() > singles ? rest.size() - singles : 0;
  std::size_t next = 0;
  for (const DeclaredPositional& positional : declared) {
    const std::size_t share = positional.is_list() ? for_list : 1;
    if (share < positional.minimum || next + share > rest.size()) {
      refuse_missing(declaration, positional, rest);
    }
    if (auto* list = std::get_if<std::vector<std::string>*>(&positional.target)) {
      (*list)->assign(rest.begin() + static_cast<std::ptrdiff_t>(next),
                      rest.begin() + static_cast<std::ptrdiff_t>(next + share));
    } else {
      *std::get<std::string*>(positional.target) = rest[next];
    }
    next += share;
  }
  if (next < rest.size()) throw UsageError(fmt::format("unexpected argument '{}'", text::escape(rest[next])));
}

}  // namespace

bool parse_number(const std::string& text, NumberRange range, std::size_t& value) {
  std::size_t number = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  if (text.empty() || error != std::errc{} || stop != end) return false;
  if (number < range.least || number > range.most) return false;
  value = number;
  return true;
}

Wanted parse_arguments(const Declaration& declaration, const std::vector<std::string>& arguments) {
  const Found found = tokenize(declaration, arguments);
  if (found.help) return Wanted::help;
  for (const DeclaredOption& option : declaration.options) {
    const auto values = found.values.find(&option);
    assign(option, values == found.values.end() ? std::vector<std::string>{} : values->second);
  }
  distribute(declaration, found.rest);
  return Wanted::run;
}

}  // namespace airgap::cli
