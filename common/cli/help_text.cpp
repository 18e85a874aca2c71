#include "common/cli/help_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

namespace airgap::cli {
namespace {

constexpr std::size_t k_width = 80;        // columns
constexpr std::size_t k_help_column = 30;  // where explanations begin

// Breaks `text` at spaces; lines after the first begin at `column`.
std::string wrapped(std::string_view text, std::size_t column) {
  std::string out;
  std::size_t at = column;
  while (!text.empty()) {
    const std::size_t space = std::min(text.find(' '), text.size());
    const std::string_view word = text.substr(0, space);
    text.remove_prefix(std::min(space + 1, text.size()));
    if (at > column && at + 1 + word.size() > k_width) {
      out += "\n" + std::string(column, ' ');
      at = column;
    } else if (at > column) {
      out += ' ';
      ++at;
    }
    out += word;
    at += word.size();
  }
  return out;
}

std::string entry(const std::string& name, const std::string& help) {
  std::string line = "  " + name;
  if (line.size() + 2 > k_help_column) {
    line += "\n" + std::string(k_help_column, ' ');
  } else {
    line.resize(k_help_column, ' ');
  }
  return line + wrapped(help, k_help_column) + "\n";
}

std::string entry(const DeclaredOption& option) {
  // Options without a short name are indented as if they had one.
  std::string name = option.names.size() == 1 ? "    " : "";
  name += fmt::format("{}", fmt::join(option.names, ", "));
  if (!option.is_flag()) name += " " + option.placeholder;
  std::string help = option.help;
  if (option.required) help += " (required)";
  if (std::holds_alternative<std::vector<std::string>*>(option.target)) help += " (repeatable)";
  const auto* number = std::get_if<std::size_t*>(&option.target);
  if (number != nullptr && **number >= option.range.least)  // a default outside stands for "not given"
    help += fmt::format(" (default {})", **number);
  return entry(name, help);
}

std::string usage(const Declaration& declaration) {
  std::string line = fmt::format("{} {} [OPTIONS]", declaration.program, declaration.command);
  for (const DeclaredOption& option : declaration.options) {
    if (option.required) line += fmt::format(" {} {}", option.name(), option.placeholder);
  }
  for (const DeclaredPositional& positional : declaration.positionals) {
    const std::string name = positional.name + (positional.is_list() ? "..." : "");
    line += positional.minimum == 0 ? " [" + name + "]" : " " + name;
  }
  return "Usage: " + wrapped(line, 7) + "\n";
}

std::vector<std::string> groups_of(const Declaration& declaration) {
  std::vector<std::string> groups;
  for (const DeclaredOption& option : declaration.options) {
    if (std::find(groups.begin(), groups.end(), option.group) == groups.end()) groups.push_back(option.group);
  }
  return groups;
}

}  // namespace

std::string command_help(const Declaration& declaration) {
  std::string text = usage(declaration) + "\n" + wrapped(declaration.summary, 0) + "\n";
  if (!declaration.positionals.empty()) text += "\nArguments:\n";
  for (const DeclaredPositional& positional : declaration.positionals) {
    text += entry(positional.name, positional.help);
  }
  for (const std::string& group : groups_of(declaration)) {
    text += "\n" + group + ":\n";
    for (const DeclaredOption& option : declaration.options) {
      if (option.group == group) text += entry(option);
    }
  }
  if (!declaration.examples.empty()) text += "\nExamples:\n";
  for (const Example& example : declaration.examples) {
    text += fmt::format("  {}\n      {}\n", example.command_line, wrapped(example.what_it_does, 6));
  }
  return text;
}

std::string program_help(const std::string& program, const std::string& summary,
                         const std::vector<NamedCommand>& commands) {
  std::string text =
      fmt::format("Usage: {} COMMAND [OPTIONS]\n\n{}\n\nCommands:\n", program, wrapped(summary, 0));
  std::size_t column = 0;
  for (const NamedCommand& command : commands) column = std::max(column, command.name.size() + 4);
  for (const NamedCommand& command : commands) {
    text += fmt::format("  {:<{}}{}\n", command.name, column - 2, wrapped(command.summary, column));
  }
  text += fmt::format(
      "\nOptions:\n"
      "  -h, --help      this help; after a command, that command's options and examples\n"
      "      --version   the version\n"
      "\n"
      "Exit status: 0 done, 1 our bug, 2 usage or configuration, 3 registry or network,\n"
      "4 credentials or permission, 5 integrity, 6 unsafe or over a limit, 7 local\n"
      "storage, 8 busy, 130/143 interrupted.\n");
  return text;
}

}  // namespace airgap::cli
