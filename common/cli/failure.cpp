#include "common/cli/failure.hpp"

#include <fmt/format.h>

#include <csignal>
#include <new>
#include <system_error>

#include "common/cli/interrupt.hpp"
#include "common/text/escape.hpp"

namespace airgap::cli {
namespace {

constexpr const char* k_memory_hint = "free memory, or use fewer --jobs";
constexpr const char* k_bug_hint = "this is a bug: report it with what AIRGAP_LOG=trace shows";

std::string signal_name(int number) {
  switch (number) {
    case SIGINT:
      return "SIGINT";
    case SIGTERM:
      return "SIGTERM";
    case SIGHUP:
      return "SIGHUP";
    default:
      return fmt::format("signal {}", number);
  }
}

diag::Error interrupted(const diag::Error& error) {
  const int number = received_signal();
  std::string message = error.message();
  if (number != 0 && message == "interrupted") message += " by " + signal_name(number);
  diag::Error named(error.kind(), message, error.hint());
  for (const std::string& context : error.context()) named.add_context(context);
  if (named.hint().empty()) named.set_hint("run the same command again; what is done is kept");
  return named;
}

}  // namespace

diag::Error current_failure() {
  try {
    throw;
  } catch (const diag::Error& error) {
    if (error.kind() == diag::ErrorKind::interrupted) return interrupted(error);
    if (error.kind() == diag::ErrorKind::internal && error.hint().empty()) {
      diag::Error hinted = error;
      hinted.set_hint(k_bug_hint);
      return hinted;
    }
    return error;
  } catch (const std::bad_alloc&) {
    return diag::StorageError("out of memory", k_memory_hint);
  } catch (const std::system_error& error) {
    if (error.code() != std::errc::resource_unavailable_try_again &&
        error.code() != std::errc::not_enough_memory)
      return diag::InternalError("unexpected: " + text::escape(error.what()), k_bug_hint);
    return diag::StorageError("the system has no more threads, or no memory for them", k_memory_hint);
  } catch (const std::exception& error) {
    return diag::InternalError("unexpected: " + text::escape(error.what()), k_bug_hint);
  } catch (...) {
    return diag::InternalError("unexpected exception", k_bug_hint);
  }
}

std::string failure_text(const std::string& program, const diag::Error& error) {
  std::string text = fmt::format("{}: error: {}\n", program, error.message());
  for (const std::string& context : error.context()) text += fmt::format("  while {}\n", context);
  if (!error.hint().empty()) text += fmt::format("  hint: {}\n", error.hint());
  return text;
}

}  // namespace airgap::cli
