#include "common/cli/app.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "common/cli/argument_parser.hpp"
#include "common/cli/declared_command.hpp"
#include "common/cli/failure.hpp"
#include "common/cli/help_text.hpp"
#include "common/cli/interrupt.hpp"
#include "common/cli/output_options.hpp"
#include "common/cli/process_setup.hpp"
#include "common/cli/report.hpp"
#include "common/cli/report_file.hpp"
#include "common/cli/screen.hpp"
#include "common/cli/terminal.hpp"
#include "common/diag/exit_code.hpp"
#include "common/raii/scope_exit.hpp"
#include "common/text/escape.hpp"
#include "common/text/nearest.hpp"

namespace airgap::cli {
namespace {

constexpr int k_usage = 2;

void print_help(const std::string& text) {
  if (!write_fully(1, text)) throw diag::StorageError("cannot write to standard output");
}

int print_usage_error(const std::string& program, const std::string& command, const diag::Error& error) {
  const std::string help = command.empty() ? program : program + " " + command;
  write_fully(2, fmt::format("{}: {}\ntry '{} --help'\n", program, error.message(), help));
  return k_usage;
}

// What cannot be written is not tried again at the end.
void check_report(Context& context) {
  const std::string path = std::exchange(context.report_file, {});
  if (path.empty()) return;
  check_report_file(path);
  context.report_file = path;
}

// Runs the command; a failure is told and becomes the status. The report goes out in every case.
int run_reported(const DeclaredCommand& command, Context& context) {
  RunReport report;
  report.command = command.declaration().command;
  const auto fail = [&](const diag::Error& error) {
    report.status = exit_status(error.kind());
    report.error = error.full_message();
    report.error_kind = diag::kind_name(error.kind());
    context.console.failure(failure_text(context.program, error), error, report.status);
  };
  try {
    check_report(context);
    report.status = command.run(context);
    if (report.status == diag::exit_code(diag::ErrorKind::interrupted)) {
      report.status = exit_status(diag::ErrorKind::interrupted);
    }
  } catch (...) {
    fail(current_failure());
  }
  try {
    if (!context.published) publish(report, context);
    if (context.console.output_failed() && report.status == 0) {
      throw diag::StorageError("standard output could not be written; events are missing");
    }
  } catch (...) {
    const int earlier = report.status;
    fail(current_failure());
    if (earlier != 0) report.status = earlier;
  }
  return report.status;
}

}  // namespace

struct App::State {
  std::string program;
  std::string summary;
  std::vector<std::unique_ptr<DeclaredCommand>> commands;

  std::string help() const {
    std::vector<NamedCommand> named;
    for (const auto& command : commands) {
      named.push_back({command->declaration().command, command->declaration().summary});
    }
    return program_help(program, summary, named);
  }
  DeclaredCommand& find(const std::string& name) const;
  int dispatch(std::vector<std::string> arguments);
  int run_command(DeclaredCommand& command, const std::vector<std::string>& arguments);
};

DeclaredCommand& App::State::find(const std::string& name) const {
  std::vector<std::string> known;
  for (const auto& command : commands) {
    if (command->declaration().command == name) return *command;
    known.push_back(command->declaration().command);
  }
  if (name.starts_with('-')) {
    throw diag::UsageError(fmt::format("the command comes first, before '{}'", text::escape(name)));
  }
  const auto meant = text::nearest(name, known);
  throw diag::UsageError(fmt::format("unknown command '{}'{}", text::escape(name),
                                     meant ? fmt::format("; did you mean '{}'?", *meant) : ""));
}

int App::State::dispatch(std::vector<std::string> arguments) {
  if (arguments.empty()) {
    write_fully(2, help());
    return k_usage;
  }
  if (arguments[0] == "--version") {
    print_help(fmt::format("{} {}\n", program, AIRGAP_VERSION));
    return 0;
  }
  if (arguments[0] == "help" && arguments.size() > 1) arguments = {arguments[1], "--help"};
  if (arguments[0] == "--help" || arguments[0] == "-h" || arguments[0] == "help") {
    print_help(help());
    return 0;
  }
  DeclaredCommand* command = nullptr;
  try {
    command = &find(arguments[0]);
  } catch (const diag::UsageError& error) {
    return print_usage_error(program, "", error);
  }
  arguments.erase(arguments.begin());
  return run_command(*command, arguments);
}

int App::State::run_command(DeclaredCommand& command, const std::vector<std::string>& arguments) {
  OutputOptions output;
  output.declare(command);
  try {
    if (parse_arguments(command.declaration(), arguments) == Wanted::help) {
      print_help(command_help(command.declaration()));
      return 0;
    }
    output.finish();
  } catch (const diag::UsageError& error) {
    return print_usage_error(program, command.declaration().command, error);
  }
  const Interrupt interrupt;
  Console console(output.console);
  const raii::ScopeExit restore([] { diag::configure_log(nullptr, ""); });
  diag::configure_log(&console, output.log_levels(process_environment("AIRGAP_LOG")));
  Context context{program, AIRGAP_VERSION, interrupt.token(), console, output.report_file};
  return run_reported(command, context);
}

App::App(std::string program, std::string summary) : m_state(std::make_unique<State>()) {
  m_state->program = std::move(program);
  m_state->summary = std::move(summary);
}

App::~App() = default;

Command& App::command(const std::string& name, const std::string& summary) {
  m_state->commands.push_back(std::make_unique<DeclaredCommand>(m_state->program, name, summary));
  return *m_state->commands.back();
}

int App::run(int argc, char** argv) noexcept {
  try {
    try {
      set_up_process();
      return m_state->dispatch({argv + std::min(argc, 1), argv + argc});
    } catch (...) {
      const diag::Error error = current_failure();
      write_fully(2, failure_text(m_state->program, error));
      return exit_status(error.kind());
    }
  } catch (...) {  // no memory even for the message
    write_fully(2, "out of memory\n");
    return diag::exit_code(diag::ErrorKind::storage);
  }
}

}  // namespace airgap::cli
