#include <memory>
#include <string>

#include "exporter/commands/commands.hpp"
#include "exporter/commands/export_options.hpp"
#include "exporter/mirror/mirror_run.hpp"

namespace airgap::exporter {
namespace {

struct Options {
  ExportOptions common;
  std::string to;
  bool prune = false;
  bool no_overwrite_tags = false;
  bool keep_going = false;
  bool dry_run = false;
};

void declare(cli::Command& command, Options& options) {
  command.option("--to", options.to, "REGISTRY[/PREFIX]", "the registry to fill, and a path in it", true);
  options.common.declare_selection(command);
  command.flag("--prune", options.prune,
               "where all tags of a repository are selected, delete those that the source no longer has "
               "(with --allow-empty also when it has none any more); --dry-run lists them");
  command.flag("--no-overwrite-tags", options.no_overwrite_tags,
               "an image whose tag stands for something else at the target fails");
  command.flag("--keep-going", options.keep_going, "mirror what can be mirrored, and exit non-zero");
  command.flag("--dry-run", options.dry_run, "ask both registries and print the plan, write nothing");
  options.common.access.declare(command);
  command.example("airgap-export mirror nginx:1.27 quay.io/org/app:2 --to registry.internal/mirror",
                  "two images, from registry to registry");
  command.example("airgap-export mirror --from sync.yaml --scoped --to registry.internal",
                  "what skopeo sync --src yaml --dest docker --scoped does");
  command.example("airgap-export mirror --all-tags quay.io/org/app --prune --dry-run --to registry.internal",
                  "what would be copied, and which tags would go");
}

}  // namespace

void add_mirror(cli::App& app) {
  cli::Command& command = app.command("mirror", "Copy images from registries into another registry");
  const auto options = std::make_shared<Options>();
  declare(command, *options);
  command.runs([options](cli::Context& context) {
    SourceSettings source = options->common.source(options->keep_going);
    source.none_is_fine = true;
    source.access.sends_on = true;
    return run_mirror({.source = std::move(source),
                       .names = options->common.names.mapping(),
                       .to = options->to,
                       .prune = options->prune,
                       .overwrite = !options->no_overwrite_tags,
                       .dry_run = options->dry_run},
                      context);
  });
}

}  // namespace airgap::exporter
