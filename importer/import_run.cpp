#include "importer/import_run.hpp"

#include "bundle-format/bundle_reader.hpp"
#include "common/delivery/delivery_run.hpp"
#include "importer/map.hpp"
#include "importer/standard_input.hpp"
#include "importer/stream_push.hpp"

namespace airgap::importer {
namespace {

using delivery::DeliveryRun;
using delivery::Failures;
using delivery::PushOptions;

image::RegistryTarget parse_target(const std::string& text) {
  try {
    return image::RegistryTarget::parse(text);
  } catch (const diag::FormatError& error) {
    throw diag::UsageError(error.message(), error.hint());
  }
}

delivery::Sender the_bundle() {
  return {.name = "the bundle",
          .when_corrupted =
              "the bundle is damaged: 'verify' lists all that is wrong with it and the images "
              "that it touches; copy it again"};
}

void import_stages(const ImportSettings& settings, const image::RegistryTarget& target, DeliveryRun& run,
                   cli::Context& context) {
  cli::RegistryAccess access(settings.access, target.registry, context);
  registry::RegistryClient& client = access.client();
  const auto plan_for = [&](const bundle::BundleInfo& info, transport::ImageSource& source) {
    return run.plan(map_images(info, source, target, settings.names), client);
  };
  if (settings.bundle == "-") {
    StandardInput input(context.stop);
    const auto stream = bundle::open_stream(input);
    const delivery::Plan plan = plan_for(stream->info(), *stream);
    run.execute(plan, client, nullptr, [&](const PushOptions& options, Failures& failures) {
      push_blobs(plan, *stream, client, context.console, options, failures);
    });
  } else {
    const auto reader = bundle::open_bundle(settings.bundle);
    for (const bundle::BrokenImage& broken : reader->broken()) {
      if (!settings.keep_going) throw broken.error;
      run.leave_out(broken.name, broken.error);
    }
    const delivery::Plan plan = plan_for(reader->info(), *reader);
    run.execute(plan, client, reader.get(), [&](const PushOptions& options, Failures& failures) {
      delivery::push_blobs(plan, *reader, client, context.console, options, failures);
    });
  }
}

}  // namespace

int run_import(const ImportSettings& settings, cli::Context& context) {
  const image::RegistryTarget target = parse_target(settings.target);
  DeliveryRun run({.command = "push",
                   .bundle = settings.bundle,
                   .target = target.str(),
                   .jobs = settings.access.jobs,
                   .keep_going = settings.keep_going,
                   .dry_run = settings.dry_run,
                   .sender = the_bundle()},
                  context);
  return run.run([&] { import_stages(settings, target, run, context); });
}

}  // namespace airgap::importer
