#include <memory>
#include <string>
#include <vector>

#include "bundle-format/commands/check_outputs.hpp"
#include "common/cli/report_file.hpp"
#include "common/diag/error.hpp"
#include "exporter/commands/commands.hpp"
#include "exporter/commands/export_options.hpp"
#include "exporter/export_run.hpp"

namespace airgap::exporter {
namespace {

struct Options {
  ExportOptions common;
  std::string output;
  std::string lock;
  bool overwrite = false;
  bool prune = false;
  bool keep_going = false;
};

void declare(cli::Command& command, Options& options) {
  options.common.declare_bundle(command);
  options.common.declare_selection(command);
  command.option("-o,--output", options.output, "DIR|FILE.tar|FILE.tar.zst", "count what is there already");
  command.option("--lock", options.lock, "FILE", "write the pinned list, which --from of pull takes");
  command.flag("--overwrite", options.overwrite, "as with pull");
  command.flag("--prune", options.prune, "as with pull");
  command.flag("--keep-going", options.keep_going, "leave out images that fail, and exit non-zero");
  options.common.access.declare(command);
  command.example("airgap-export plan --from images.txt",
                  "names, digests, platforms, bytes; fetches no layer");
  command.example("airgap-export plan --from sync.yaml --lock today.lock",
                  "what the tags stand for today, for pull --from today.lock");
  command.example("airgap-export plan --from images.txt --since receipt.json --volume-size dvd",
                  "how many discs this month takes");
}

}  // namespace

void add_plan(cli::App& app) {
  cli::Command& command = app.command("plan", "Show what pull would do, and pin it");
  const auto options = std::make_shared<Options>();
  declare(command, *options);
  command.runs([options](cli::Context& context) {
    if (options->output == "-") {
      throw diag::UsageError("nothing is there already in a pipe", "leave --output out");
    }
    bundle::check_export_outputs(context, options->output, options->common.since,
                                 {{"--lock", options->lock}});
    if (!options->lock.empty()) cli::check_report_file(options->lock, "lock");
    return run_export({.command = "plan",
                       .source = options->common.source(options->keep_going),
                       .names = options->common.names.mapping(),
                       .output = options->output,
                       .since = options->common.since,
                       .overwrite = options->overwrite,
                       .prune = options->prune,
                       .dry_run = true,
                       .lock = options->lock,
                       .volume_size = options->common.volume_size()},
                      context);
  });
}

}  // namespace airgap::exporter
