#pragma once

#include <functional>
#include <string>
#include <vector>

#include "common/cli/declaration.hpp"

namespace airgap::cli {

/// Keeps what a command declares.
class DeclaredCommand : public Command {
 public:
  DeclaredCommand(std::string program, std::string name, std::string summary);

  const Declaration& declaration() const noexcept { return m_declaration; }
  int run(Context& context) const;

  void positional(const std::string& name, std::string& value, const std::string& help) override;
  void positionals(const std::string& name, std::vector<std::string>& values, std::size_t minimum,
                   const std::string& help) override;
  void group(const std::string& heading) override { m_group = heading; }
  void option(const std::string& flags, std::string& value, const std::string& placeholder,
              const std::string& help, bool required) override;
  void option(const std::string& flags, std::vector<std::string>& values, const std::string& placeholder,
              const std::string& help) override;
  void option(const std::string& flags, std::size_t& value, const std::string& placeholder,
              const std::string& help, NumberRange range) override;
  void flag(const std::string& flags, bool& value, const std::string& help) override;
  void example(const std::string& command_line, const std::string& what_it_does) override;
  void runs(std::function<int(Context&)> work) override { m_work = std::move(work); }

 private:
  DeclaredOption& declare(const std::string& flags, const std::string& help);

  Declaration m_declaration;
  std::string m_group = "Options";
  std::function<int(Context&)> m_work;
};

}  // namespace airgap::cli
