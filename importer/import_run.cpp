#include "importer/import_run.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "bundle-format/bundle_reader.hpp"
#include "bundle-format/metadata/creation_time.hpp"
#include "bundle-format/volumes/volumes_in_turn.hpp"
#include "common/cli/naming.hpp"
#include "common/cli/report_file.hpp"
#include "common/delivery/delivery_run.hpp"
#include "common/diag/log.hpp"
#include "common/text/escape.hpp"
#include "common/text/human_size.hpp"
#include "importer/disc_drive.hpp"
#include "importer/lookaside_delivery.hpp"
#include "importer/map.hpp"
#include "importer/missing.hpp"
#include "importer/receipt_of.hpp"
#include "importer/standard_input.hpp"
#include "importer/stream_push.hpp"

namespace airgap::importer {
namespace {

using delivery::DeliveryRun;
using delivery::Failures;
using delivery::PushOptions;
using transport::Observer;

delivery::Sender the_bundle(bool from_pipe) {
  return {.name = "the bundle",
          .when_corrupted =
              from_pipe ? "what came through the pipe is damaged: run it again; if that stays so, write "
                          "it into a file, of which 'verify' says all that is wrong"
                        : "the bundle is damaged: 'verify' lists all that is wrong with it and the images "
                          "that it touches; copy it again"};
}

std::string creator(const cli::Context& context) {
  return context.program + " " + context.version;
}

// Nothing is written to a registry that lacks what the delta builds on.
void check_complete(const delivery::Plan& plan, const ImportSettings& settings,
                    const image::RegistryTarget& target, const cli::Context& context) {
  if (plan.missing.empty()) return;
  print_missing(plan, context.console);
  if (!settings.want_list.empty()) {
    bundle::WantList list = want_list_of(plan, target);
    list.creator = creator(context);
    list.created = bundle::creation_time().text;
    cli::write_report_file(settings.want_list, bundle::write_want_list(list), "want-list");
  }
  refuse_missing(plan, settings.want_list);
}

void write_receipt(const delivery::Plan& plan, const std::vector<bool>& in_place,
                   const bundle::BundleInfo& info, const ImportSettings& settings,
                   const image::RegistryTarget& target, const cli::Context& context) {
  if (settings.receipt.empty() || settings.dry_run) return;
  bundle::Receipt receipt = receipt_of(plan, in_place, target);
  receipt.creator = creator(context);
  receipt.created = bundle::creation_time().text;
  if (!info.stream.empty()) receipt.position = bundle::StreamPosition{info.stream, info.sequence};
  const std::filesystem::path path(settings.bundles.front());
  if (settings.bundles.front() != "-")
    receipt.bundle = text::escape((path.has_filename() ? path : path.parent_path()).filename().string());
  cli::write_report_file(settings.receipt, bundle::write_receipt(receipt), "receipt");
  context.console.status(fmt::format("receipt: {}", text::escape(settings.receipt)));
}

// Each is named; without --keep-going they end the run.
void leave_out(const std::vector<bundle::BrokenImage>& broken, const ImportSettings& settings,
               DeliveryRun& run) {
  if (broken.size() == 1 && !settings.keep_going) throw diag::Error(broken.front().error);
  for (const bundle::BrokenImage& image : broken) run.leave_out(image.name, image.error);
  if (broken.empty() || settings.keep_going) return;
  const diag::Error& first = broken.front().error;
  throw diag::Error(
      first.kind(),
      fmt::format("{} in {} are not whole, and nothing was sent", text::counted(broken.size(), "image"),
                  text::escape(settings.bundles.front())),
      "export them again, or push the others with --keep-going; 'verify' lists all that is wrong");
}

// An image that was left out may be the one that is meant.
void check_maps(const ImportSettings& settings, const bundle::BundleInfo& info, DeliveryRun& run) {
  std::vector<image::Reference> names;
  for (const bundle::Image& image : info.images) names.push_back(image.name);
  cli::check_maps(*settings.names, names, settings.allow_unused_map || run.report().report().status != 0);
}

/// Nothing when volumes are missing and somebody sits at the terminal who can bring them.
std::unique_ptr<bundle::BundleReader> open_unless_missing(const std::vector<std::string>& bundles) {
  try {
    return bundle::open_bundle(bundles);
  } catch (const bundle::MissingVolumes& missing) {
    if (::isatty(STDIN_FILENO) != 1) throw;
    diag::log("bundle", diag::LogLevel::warning, missing.message());
    return nullptr;
  }
}

/// Nothing unless it is one file, and compressed as a whole.
std::unique_ptr<bundle::BundleStream> packed_file(const std::vector<std::string>& bundles) {
  return bundles.size() == 1 ? bundle::open_packed(bundles.front()) : nullptr;
}

void import_stages(const ImportSettings& settings, const image::RegistryTarget& target, DeliveryRun& run,
                   cli::Context& context) {
  cli::RegistryAccess access(settings.access, target.registry, context);
  registry::RegistryClient& client = access.client();
  const auto plan_for = [&](const bundle::BundleInfo& info, transport::ImageSource& source) {
    if (settings.names) check_maps(settings, info, run);
    delivery::Plan plan =
        run.plan(map_images(info, source, target, settings.names), client, required_of(info, target));
    check_complete(plan, settings, target, context);
    return plan;
  };
  if (settings.bundles.size() > 1 && std::ranges::count(settings.bundles, "-") > 0)
    throw diag::UsageError("standard input goes with no other BUNDLE",
                           "name the volumes of one bundle, or send one archive through the pipe");
  const auto push_stream = [&](bundle::BundleStream& stream) {
    const delivery::Plan plan = plan_for(stream.info(), stream);
    const auto in_place = run.execute(
        plan, client, nullptr, [&](Observer& observer, const PushOptions& options, Failures& failures) {
          push_blobs(plan, stream, client, observer, options, failures);
        });
    write_receipt(plan, in_place, stream.info(), settings, target, context);
  };
  if (settings.bundles.front() == "-") {
    StandardInput input(context.stop);
    push_stream(*bundle::open_stream(input));
  } else if (const auto packed = packed_file(settings.bundles)) {
    push_stream(*packed);
  } else if (const auto reader = open_unless_missing(settings.bundles)) {
    leave_out(reader->broken(), settings, run);
    const delivery::Plan plan = plan_for(reader->info(), *reader);
    const auto signatures = place_signatures(*reader, plan.placements, settings);
    const auto in_place = run.execute(
        plan, client, reader.get(), [&](Observer& observer, const PushOptions& options, Failures& failures) {
          write_signatures(signatures, *reader, failures);
          delivery::push_blobs(plan, *reader, client, observer, options, failures);
        });
    write_receipt(plan, in_place, reader->info(), settings, target, context);
  } else {
    const auto set = bundle::find_volumes(settings.bundles);
    if (!set) throw diag::StorageError("the volumes that were there are gone");
    DiscDrive drive(settings.bundles, *set, context);
    push_stream(
        *bundle::open_volumes_in_turn(set->count, [&](std::size_t number) { return drive.find(number); }));
  }
}

// `push REGISTRY BUNDLE`: what is a bundle and what is not is seen on this machine.
void refuse_swapped(const ImportSettings& settings) {
  const std::string& first = settings.bundles.front();
  std::error_code error;
  if (first == "-" || std::filesystem::exists(first, error)) return;
  if (!std::filesystem::exists(settings.target, error)) return;
  throw diag::UsageError(
      fmt::format("{} is on this machine and {} is not, so the registry seems to stand first",
                  text::escape(settings.target), text::escape(first)),
      "the bundle comes first, the registry last: airgap-import push BUNDLE... REGISTRY[/PREFIX]");
}

}  // namespace

int run_import(const ImportSettings& settings, cli::Context& context) {
  refuse_swapped(settings);
  const image::RegistryTarget target = cli::parse_target(settings.target);
  if (!settings.receipt.empty()) cli::check_report_file(settings.receipt, "receipt");
  if (!settings.want_list.empty()) cli::check_report_file(settings.want_list, "want-list");
  DeliveryRun run({.command = "push",
                   .bundle = fmt::format("{}", fmt::join(settings.bundles, ", ")),
                   .target = target.str(),
                   .jobs = settings.access.jobs,
                   .keep_going = settings.keep_going,
                   .dry_run = settings.dry_run,
                   .sender = the_bundle(settings.bundles.front() == "-")},
                  context);
  return run.run([&] { import_stages(settings, target, run, context); });
}

}  // namespace airgap::importer
