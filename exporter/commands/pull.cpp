#include <fmt/format.h>

#include <chrono>

#include "bundle-format/bundle_writer.hpp"
#include "bundle-format/commands/check_outputs.hpp"
#include "common/cli/registry_access.hpp"
#include "common/diag/error.hpp"
#include "common/text/escape.hpp"
#include "exporter/commands/commands.hpp"
#include "exporter/commands/export_options.hpp"
#include "exporter/export_run.hpp"

namespace airgap::exporter {
namespace {

struct Options {
  ExportOptions common;
  std::string output;
  std::string format;
  std::string registries_d;
  bool overwrite = false;
  bool prune = false;
  bool no_overwrite_tags = false;
  bool keep_going = false;
  bool dry_run = false;
  std::string verify_media;
};

void declare(cli::Command& command, Options& options) {
  command.option("-o,--output", options.output, "DIR|FILE.tar|FILE.tar.zst|-",
                 "where the bundle goes; - is standard output", true);
  command.option("--format", options.format, "bundle|skopeo-dir",
                 "skopeo-dir: the directories that skopeo sync writes, --scoped or not");
  options.common.declare_bundle(command);
  options.common.declare_selection(command);
  command.option("--registries-d", options.registries_d, "DIR",
                 "with skopeo-dir: where signatures lie beside registries (default: registries.d of the user "
                 "or machine)");
  command.flag("--overwrite", options.overwrite,
               "replace a finished archive of another list; it stays until the new one is whole");
  command.flag("--no-overwrite-tags", options.no_overwrite_tags,
               "with skopeo-dir: an image whose folder holds another one fails the run");
  command.flag("--prune", options.prune, "a directory holds the selection alone afterwards");
  command.flag("--keep-going", options.keep_going, "leave out images that fail, and exit non-zero");
  command.flag("--dry-run", options.dry_run, "resolve and print the plan, write nothing");
  command.option("--verify-media", options.verify_media, "full|sample|none",
                 "read the bundle back from the medium and compare (default: sample where the medium is "
                 "removable)");
  options.common.access.declare(command);
  command.example("airgap-export pull nginx:1.27 quay.io/org/app:2 --output /media/usb/bundle.tar",
                  "two images, one archive");
  command.example("airgap-export pull --from images.txt --output bundle/",
                  "a list, into a directory; run it again to update");
  command.example("airgap-export pull --from images.txt --since receipt.json --output delta.tar",
                  "only what is new since that push");
  command.example("airgap-export pull --from images.txt --volume-size dvd --output /srv/discs/bundle.tar",
                  "bundle.001.tar, bundle.002.tar, … to be burnt");
  command.example("airgap-export pull --from images.txt --verify-media full --output /media/usb/bundle.tar",
                  "read all of it back from the stick before it is called safe to remove");
  command.example("airgap-export pull --from sync.yaml --output bundle/", "the YAML that skopeo sync reads");
  command.example("airgap-export pull --from sync.yaml --format skopeo-dir --scoped --output tree/",
                  "what skopeo sync --src yaml --dest dir --scoped writes");
  command.example(
      "airgap-export pull alpine:3 --platform all --output - | ssh inside airgap-import push - "
      "registry.internal",
      "through a pipe, all platforms");
}

// Whether a tree of skopeo's is asked for.
bool is_skopeo_tree(const Options& options) {
  if (options.format.empty() || options.format == "bundle") {
    if (options.no_overwrite_tags)
      throw diag::UsageError("--no-overwrite-tags is for --format skopeo-dir",
                             "leave it out: a bundle keeps the whole names of its images");
    return false;
  }
  if (options.format != "skopeo-dir") {
    throw diag::UsageError(fmt::format("--format: there is no '{}'", text::escape(options.format)),
                           "it is bundle, or skopeo-dir for what skopeo sync writes");
  }
  if (options.common.names.flat || !options.common.names.maps.empty()) {
    throw diag::UsageError("--format skopeo-dir takes --scoped, and no other names",
                           "give --flat and --map to airgap-import push, which reads such directories");
  }
  if (!options.common.since.empty()) {
    throw diag::UsageError("--format skopeo-dir knows no deltas", "leave --since out, or write a bundle");
  }
  return true;
}

std::optional<bundle::MediaCheck> media_check(const std::string& text) {
  if (text.empty()) return std::nullopt;
  if (text == "full") return bundle::MediaCheck::full;
  if (text == "sample") return bundle::MediaCheck::sample;
  if (text == "none") return bundle::MediaCheck::none;
  throw diag::UsageError(fmt::format("--verify-media: there is no '{}'", text::escape(text)),
                         "it is full, sample or none");
}

}  // namespace

void add_pull(cli::App& app) {
  cli::Command& command = app.command("pull", "Pull images from registries into a bundle");
  const auto options = std::make_shared<Options>();
  declare(command, *options);
  command.runs([options](cli::Context& context) {
    bundle::check_export_outputs(context, options->output, options->common.since);
    const bool tree = is_skopeo_tree(*options);
    if (!tree && bundle::output_form(options->output) == bundle::OutputForm::pipe)
      context.console.reserve_stdout();
    return run_export({.source = options->common.source(options->keep_going),
                       .names = options->common.names.mapping(),
                       .output = options->output,
                       .since = options->common.since,
                       .registries_d = options->registries_d,
                       .skopeo_tree = tree,
                       .overwrite = options->overwrite,
                       .overwrite_tags = !options->no_overwrite_tags,
                       .prune = options->prune,
                       .dry_run = options->dry_run,
                       .volume_size = options->common.volume_size(),
                       .verify_media = media_check(options->verify_media)},
                      context);
  });
}

}  // namespace airgap::exporter
