#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "common/cli/context.hpp"

namespace airgap::cli {

/// The numbers that an option takes, both ends included.
struct NumberRange {
  std::size_t least = 0;
  std::size_t most = SIZE_MAX;
};

/// One command of a program: declares its options, then what it runs. Values are borrowed: they live as long
/// as the App.
class Command {
 public:
  virtual ~Command() = default;
  virtual void positional(const std::string& name, std::string& value, const std::string& help) = 0;
  /// Takes what the single ones before and after it leave over; at least `minimum`. One such list a command.
  virtual void positionals(const std::string& name, std::vector<std::string>& values, std::size_t minimum,
                           const std::string& help) = 0;
  /// Options declared from here on stand under this heading in --help; "Options" at first.
  virtual void group(const std::string& heading) = 0;
  /// `flags` as "-o,--output"; `placeholder` as "FILE".
  virtual void option(const std::string& flags, std::string& value, const std::string& placeholder,
                      const std::string& help, bool required = false) = 0;
  virtual void option(const std::string& flags, std::vector<std::string>& values,
                      const std::string& placeholder,
                      const std::string& help) = 0;  ///< repeatable
  virtual void option(const std::string& flags, std::size_t& value, const std::string& placeholder,
                      const std::string& help, NumberRange range = {}) = 0;
  virtual void flag(const std::string& flags, bool& value, const std::string& help) = 0;
  /// A line of the examples that --help shows.
  virtual void example(const std::string& command_line, const std::string& what_it_does) = 0;
  /// The command's work; what it returns is the exit status, what it throws becomes one (exit_code.hpp).
  virtual void runs(std::function<int(Context&)> work) = 0;
};

/// A program: its commands, --help, --version, the common output options, signals, and errors turned into an
/// exit status with a message that says what to do next.
class App {
 public:
  App(std::string program, std::string summary);
  ~App();
  Command& command(const std::string& name, const std::string& summary);
  /// Runs the command that the arguments name; once a process.
  int run(int argc, char** argv) noexcept;

 private:
  struct State;
  std::unique_ptr<State> m_state;
};

}  // namespace airgap::cli
