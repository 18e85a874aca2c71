#include <memory>

#include "bundle-format/commands/check_outputs.hpp"
#include "common/cli/naming.hpp"
#include "common/cli/registry_access.hpp"
#include "importer/commands/commands.hpp"
#include "importer/import_run.hpp"

namespace airgap::importer {
namespace {

struct Options {
  ImportSettings settings;
  cli::NamingOptions names;
};

void declare(cli::Command& command, Options& options) {
  command.positionals(
      "BUNDLE", options.settings.bundles, 1,
      "a directory, an archive, volumes in any order or folders that hold them, a tree that skopeo "
      "sync wrote, or - for standard input");
  command.positional("REGISTRY[/PREFIX]", options.settings.target, "the registry to fill, and a path in it");
  options.names.declare(command);
  command.flag(cli::k_allow_unused_map, options.settings.allow_unused_map, cli::k_allow_unused_map_help);
  command.flag("--remove-signatures", options.settings.remove_signatures,
               "leave behind the signature-N files of skopeo's directories");
  command.option("--registries-d", options.settings.registries_d, "DIR",
                 "where those files go: lookaside-staging (default: registries.d of the user or machine)");
  command.flag("--keep-going", options.settings.keep_going, "push what can be pushed, and exit non-zero");
  command.flag("--dry-run", options.settings.dry_run, "ask the registry and print the plan, write nothing");
  command.option(
      "--receipt", options.settings.receipt, "FILE",
      "write what the registry holds afterwards, to be carried back for 'airgap-export pull --since'");
  command.option("--want-list", options.settings.want_list, "FILE",
                 "when the registry lacks what a delta requires, write that for 'airgap-export pull --from'");
  options.settings.access.declare(command);
  command.example("airgap-import push /media/usb/bundle.tar registry.internal/mirror",
                  "in place, nothing is unpacked");
  command.example("airgap-import push bundle.tar registry.internal --receipt receipt.json",
                  "and what to tell the outside");
  command.example("airgap-import push /media/disc1 /media/disc2 registry.internal",
                  "volumes on several discs");
  command.example("airgap-import push bundle/ registry.internal --dry-run", "what would change");
  command.example("airgap-import push tree/ registry.internal/mirror",
                  "the directories that skopeo sync wrote, by any of its folders");
  command.example("airgap-import push bundle.tar registry.internal --map docker.io/library/=base/",
                  "other names inside");
}

}  // namespace

void add_push(cli::App& app) {
  cli::Command& command = app.command("push", "Push a bundle into the internal registry");
  const auto options = std::make_shared<Options>();
  declare(command, *options);
  command.runs([options](cli::Context& context) {
    const ImportSettings& settings = options->settings;
    bundle::check_outputs(context, settings.bundles,
                          {{"--receipt", settings.receipt}, {"--want-list", settings.want_list}});
    if (options->names.any()) options->settings.names = options->names.mapping();
    return run_import(options->settings, context);
  });
}

}  // namespace airgap::importer
