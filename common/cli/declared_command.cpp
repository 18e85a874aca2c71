#include "common/cli/declared_command.hpp"

#include "common/diag/error.hpp"

namespace airgap::cli {
namespace {

std::vector<std::string> split_names(const std::string& flags) {
  std::vector<std::string> names;
  std::size_t start = 0;
  while (start <= flags.size()) {
    const std::size_t comma = std::min(flags.find(',', start), flags.size());
    names.push_back(flags.substr(start, comma - start));
    start = comma + 1;
  }
  return names;
}

}  // namespace

DeclaredCommand::DeclaredCommand(std::string program, std::string name, std::string summary) {
  m_declaration.program = std::move(program);
  m_declaration.command = std::move(name);
  m_declaration.summary = std::move(summary);
}

int DeclaredCommand::run(Context& context) const {
  if (!m_work) throw diag::InternalError("the command " + m_declaration.command + " does nothing yet");
  return m_work(context);
}

void DeclaredCommand::positional(const std::string& name, std::string& value, const std::string& help) {
  m_declaration.positionals.push_back({name, help, 1, &value});
}

void DeclaredCommand::positionals(const std::string& name, std::vector<std::string>& values,
                                  std::size_t minimum, const std::string& help) {
  m_declaration.positionals.push_back({name, help, minimum, &values});
}

DeclaredOption& DeclaredCommand::declare(const std::string& flags, const std::string& help) {
  DeclaredOption& option = m_declaration.options.emplace_back();
  option.names = split_names(flags);
  option.help = help;
  option.group = m_group;
  return option;
}

void DeclaredCommand::option(const std::string& flags, std::string& value, const std::string& placeholder,
                             const std::string& help, bool required) {
  DeclaredOption& option = declare(flags, help);
  option.placeholder = placeholder;
  option.required = required;
  option.target = &value;
}

void DeclaredCommand::option(const std::string& flags, std::vector<std::string>& values,
                             const std::string& placeholder, const std::string& help) {
  DeclaredOption& option = declare(flags, help);
  option.placeholder = placeholder;
  option.target = &values;
}

void DeclaredCommand::option(const std::string& flags, std::size_t& value, const std::string& placeholder,
                             const std::string& help, NumberRange range) {
  DeclaredOption& option = declare(flags, help);
  option.placeholder = placeholder;
  option.range = range;
  option.target = &value;
}

void DeclaredCommand::flag(const std::string& flags, bool& value, const std::string& help) {
  declare(flags, help).target = &value;
}

void DeclaredCommand::example(const std::string& command_line, const std::string& what_it_does) {
  m_declaration.examples.push_back({command_line, what_it_does});
}

}  // namespace airgap::cli
