#include <memory>

#include "common/cli/naming.hpp"
#include "common/cli/registry_access.hpp"
#include "importer/commands/commands.hpp"
#include "importer/receipt_run.hpp"

namespace airgap::importer {
namespace {

struct Options {
  ReceiptSettings settings;
  cli::NamingOptions names;
};

void declare(cli::Command& command, Options& options) {
  command.positional("REGISTRY[/PREFIX]", options.settings.target,
                     "the registry to look at, and a path in it");
  command.option("--from", options.settings.list, "FILE",
                 "a name a line: source names, or names that begin with REGISTRY; - is standard input", true);
  command.option("-o,--output", options.settings.output, "FILE",
                 "where the receipt goes (default: standard output)");
  options.names.declare(command);
  command.flag("--keep-going", options.settings.keep_going,
               "leave out images that are not there, and exit non-zero");
  options.settings.access.declare(command);
  command.example("airgap-import receipt registry.internal/mirror --from images.txt --output receipt.json",
                  "what a registry holds that was filled some other way, for 'airgap-export pull --since'");
}

}  // namespace

void add_receipt(cli::App& app) {
  cli::Command& command = app.command("receipt", "Write what a registry holds, to be carried back");
  const auto options = std::make_shared<Options>();
  declare(command, *options);
  command.runs([options](cli::Context& context) {
    options->settings.naming = options->names.mapping();
    return run_receipt(options->settings, context);
  });
}

}  // namespace airgap::importer
