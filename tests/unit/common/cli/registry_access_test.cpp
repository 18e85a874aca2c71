#include "common/cli/registry_access.hpp"

#include <doctest/doctest.h>

#include <functional>
#include <string>
#include <vector>

#include "common/cli/argument_parser.hpp"
#include "common/cli/declared_command.hpp"
#include "common/diag/error.hpp"
#include "tests/unit/common/cli/child_process.hpp"

using namespace airgap;
using cli::RegistryAccessOptions;

namespace {

void build(const RegistryAccessOptions& options, const std::string& host) {
  const cli::testing::MemoryFile out;
  const cli::testing::MemoryFile err;
  cli::Console console({}, out.fd(), err.fd());
  cli::Context context{"airgap-test", "0.1.0", {}, console, {}};
  cli::RegistryAccess(options, host, context).client();
}

}  // namespace

TEST_CASE("the defaults give a client") {
  CHECK_NOTHROW(build({}, "registry.example"));
}

TEST_CASE("options that contradict each other or name no host are refused") {
  struct Row {
    std::function<void(RegistryAccessOptions&)> change;
    std::string host;
    std::string message;
  };
  const std::vector<Row> rows{
      {[](auto& options) { options.insecure = {"https://registry.example"}; }, "r", "--insecure: 'https://"},
      {[](auto& options) { options.plain_http = {"user@registry.example"}; }, "r", "--plain-http: 'user@"},
      {[](auto& options) { options.plain_http = {""}; }, "r", "--plain-http: '' is not a host"},
      {[](auto& options) { options.creds_stdin = true; }, "",
       "--creds-stdin does not say for which registry"},
      {[](auto& options) { options.creds_file = "/dev/null"; }, "",
       "--creds-file does not say for which registry"},
      {[](auto& options) { options.creds_file = "f", options.creds_stdin = true; }, "r",
       "exclude each other"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.message);
    RegistryAccessOptions options;
    row.change(options);
    CHECK_THROWS_WITH_AS(build(options, row.host), doctest::Contains(row.message.c_str()), diag::UsageError);
  }
}

TEST_CASE("a credentials file may name its host, and is read whatever its form") {
  RegistryAccessOptions options;
  for (const char* text : {"registry.example:5000=/nonexistent", "/non=existent"}) {
    options.creds_file = text;
    CHECK_THROWS_WITH_AS(build(options, "r"), doctest::Contains("cannot open the credentials file '/non"),
                         diag::CredentialsError);
  }
}

TEST_CASE("numbers out of range are refused when the command line is read") {
  const std::vector<std::pair<std::string, std::string>> rows{{"--jobs", "0"},
                                                              {"--jobs", "65"},
                                                              {"--retry", "101"},
                                                              {"--stall-timeout", "0"},
                                                              {"--stall-timeout", "3601"},
                                                              {"--max-wait", "86401"}};
  for (const auto& [option, value] : rows) {
    cli::DeclaredCommand command("airgap-test", "pull", "Fetch");
    RegistryAccessOptions options;
    options.declare(command);
    CAPTURE(option);
    CHECK_THROWS_AS(cli::parse_arguments(command.declaration(), {option, value}), diag::UsageError);
  }
}

TEST_CASE("no option takes a password") {
  cli::DeclaredCommand command("airgap-test", "pull", "Fetch");
  RegistryAccessOptions options;
  options.declare(command);
  for (const char* name : {"--creds", "--password", "--username"}) {
    CHECK_THROWS_AS(cli::parse_arguments(command.declaration(), {name, "ada:secret"}), diag::UsageError);
  }
}
