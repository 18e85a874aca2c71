#include <fmt/format.h>

#include <chrono>

#include "bundle-format/bundle_writer.hpp"
#include "common/cli/registry_access.hpp"
#include "common/text/human_size.hpp"
#include "exporter/commands/commands.hpp"
#include "exporter/commands/export_options.hpp"
#include "exporter/export_run.hpp"

namespace airgap::exporter {
namespace {

struct Options {
  ExportOptions common;
  std::string output;
  bool overwrite = false;
  bool prune = false;
  bool keep_going = false;
  bool dry_run = false;
};

void declare(cli::Command& command, Options& options) {
  command.option("-o,--output", options.output, "DIR|FILE.tar|-",
                 "where the bundle goes; - is standard output", true);
  options.common.declare_selection(command);
  command.flag("--overwrite", options.overwrite, "replace a finished archive that holds other images");
  command.flag("--prune", options.prune, "a directory holds the selection alone afterwards");
  command.flag("--keep-going", options.keep_going, "leave out images that fail, and exit non-zero");
  command.flag("--dry-run", options.dry_run, "resolve and print the plan, write nothing");
  options.common.access.declare(command);
  command.example("airgap-export pull nginx:1.27 quay.io/org/app:2 --output /media/usb/bundle.tar",
                  "two images, one archive");
  command.example("airgap-export pull --from images.txt --output bundle/",
                  "a list, into a directory; run it again to update");
  command.example("airgap-export pull --from sync.yaml --output bundle/", "the YAML that skopeo sync reads");
  command.example(
      "airgap-export pull alpine:3 --platform all --output - | ssh inside airgap-import push - "
      "registry.internal",
      "through a pipe, all platforms");
}

}  // namespace

void add_pull(cli::App& app) {
  cli::Command& command = app.command("pull", "Pull images from registries into a bundle");
  const auto options = std::make_shared<Options>();
  declare(command, *options);
  command.runs([options](cli::Context& context) {
    const bundle::OutputForm form = bundle::output_form(options->output);
    if (form == bundle::OutputForm::pipe) context.console.reserve_stdout();
    return run_export({.select = options->common.select,
                       .access = options->common.access,
                       .names = options->common.names(),
                       .output = options->output,
                       .referrers = !options->common.no_referrers,
                       .allow_empty = options->common.allow_empty,
                       .overwrite = options->overwrite,
                       .prune = options->prune,
                       .keep_going = options->keep_going,
                       .dry_run = options->dry_run},
                      context);
  });
}

}  // namespace airgap::exporter
