#include "importer/import_run.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <optional>

#include "bundle-format/bundle_reader.hpp"
#include "bundle-format/metadata/creation_time.hpp"
#include "bundle-format/metadata/finding.hpp"
#include "bundle-format/volumes/incomplete_set.hpp"
#include "bundle-format/volumes/volumes_at_hand.hpp"
#include "common/cli/naming.hpp"
#include "common/cli/report_file.hpp"
#include "common/delivery/delivery_run.hpp"
#include "common/diag/log.hpp"
#include "common/text/escape.hpp"
#include "common/text/human_size.hpp"
#include "importer/disc_drive.hpp"
#include "importer/disc_push.hpp"
#include "importer/lookaside_delivery.hpp"
#include "importer/map.hpp"
#include "importer/missing.hpp"
#include "importer/receipt_of.hpp"
#include "importer/standard_input.hpp"
#include "importer/stream_push.hpp"
#include "importer/want_list_file.hpp"

namespace airgap::importer {
namespace {

using delivery::Failures;
using delivery::PushOptions;
using transport::Observer;

delivery::Sender the_bundle(bool from_pipe) {
  return {.name = "the bundle",
          .when_corrupted =
              from_pipe ? "what came through the pipe is damaged: run it again; if that stays so, write "
                          "it into a file, of which 'verify' says all that is wrong"
                        : "the bundle is damaged: 'verify' lists all that is wrong with it and the images "
                          "that it touches; copy it again",
          .when_unreadable =
              "is the medium still there, with the whole bundle on it? Bring it back and run the "
              "same command again: what the registry has is not sent again"};
}

/// Somebody sits at the terminal, who can bring what is missing, and sees the question.
bool is_attended() {
  return ::isatty(STDIN_FILENO) == 1 && ::isatty(STDERR_FILENO) == 1;
}

/// Nothing unless it is one file, and compressed as a whole.
std::unique_ptr<bundle::BundleStream> packed_file(const std::vector<std::string>& bundles,
                                                  bundle::Damaged damaged) {
  return bundles.size() == 1 ? bundle::open_packed(bundles.front(), damaged) : nullptr;
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

/// One run of `push`: chains the stages.
class ImportRun {
 public:
  ImportRun(const ImportSettings& settings, cli::Context& context)
      : m_settings(settings),
        m_context(context),
        m_target(cli::parse_target(settings.target)),
        m_run({.command = "push",
               .bundle = fmt::format("{}", fmt::join(settings.bundles, ", ")),
               .target = m_target.str(),
               .jobs = settings.access.jobs,
               .keep_going = settings.keep_going,
               .dry_run = settings.dry_run,
               .sender = the_bundle(settings.bundles.front() == "-")},
              context) {}

  int run() {
    return m_run.run([this] { stages(); });
  }

 private:
  void stages() {
    cli::RegistryAccess access(m_settings.access, m_target.registry, m_context);
    registry::RegistryClient& client = access.client();
    const std::vector<std::string>& named = m_settings.bundles;
    if (named.size() > 1 && std::ranges::count(named, "-") > 0)
      throw diag::UsageError("standard input goes with no other BUNDLE",
                             "name the volumes of one bundle, or send one archive through the pipe");
    if (named.front() == "-") {
      StandardInput input(m_context.stop);
      push_in_order(*bundle::open_stream(input, damaged()), client);
    } else if (const auto packed = packed_file(named, damaged())) {
      push_in_order(*packed, client);
    } else {
      push_from_medium(client);
    }
  }

  void push_from_medium(registry::RegistryClient& client) {
    DiscDrive drive(m_settings.bundles, m_context);
    const std::vector<std::string> places = is_attended() ? drive.filled_places() : m_settings.bundles;
    std::unique_ptr<bundle::BundleReader> reader;
    try {
      reader = bundle::open_bundle(places, damaged());
    } catch (const bundle::MissingVolumes& missing) {
      // The registry may have what they hold.
      diag::log("bundle", diag::LogLevel::warning, missing.volumes());
      return is_attended() ? push_discs(places, drive, client) : push_without(missing, client);
    }
    push_in_place(*reader, client);
  }

  void push_without(const bundle::MissingVolumes& missing, registry::RegistryClient& client) {
    const auto set = bundle::open_incomplete_set(m_settings.bundles);
    if (!m_settings.keep_going) {
      if (!set->broken().empty()) throw bundle::MissingVolumes(missing);
      if (set->other_damage()) throw diag::Error(*set->other_damage());
    }
    const auto explain = [&](const auto& blobs, const auto& images) { return set->missing(blobs, images); };
    push_in_place(*set, client,
                  {.blobs = set->lost(), .explain = explain, .and_required = [&](const delivery::Plan& plan) {
                     tell_missing(plan);
                   }});
  }

  void push_in_place(bundle::BundleReader& reader, registry::RegistryClient& client,
                     const delivery::LostBlobs& lost = {}) {
    leave_out(reader.broken(), reader.other_damage());
    const delivery::Plan plan = plan_for(reader.info(), reader, client, lost);
    const auto signatures = place_signatures(reader, plan.placements, m_settings);
    const auto in_place = m_run.execute(
        plan, client, &reader, [&](Observer& observer, const PushOptions& options, Failures& failures) {
          write_signatures(signatures, reader, failures);
          delivery::push_blobs(plan, reader, client, observer, options, failures);
        });
    conclude(plan, in_place, reader.info());
  }

  // Each blob as it comes by.
  void push_in_order(bundle::BundleStream& stream, registry::RegistryClient& client) {
    leave_out(stream.broken(), std::nullopt);
    const delivery::Plan plan = plan_for(stream.info(), stream, client);
    const auto in_place = m_run.execute(
        plan, client, nullptr, [&](Observer& observer, const PushOptions& options, Failures& failures) {
          push_blobs(plan, stream, client, observer, options, failures, [&](const diag::Error& damage) {
            if (!m_settings.keep_going) throw diag::Error(damage);
            m_run.report().fail(damage);
          });
        });
    conclude(plan, in_place, stream.info());
  }

  void push_discs(const std::vector<std::string>& places, DiscDrive& drive,
                  registry::RegistryClient& client) {
    const auto set = bundle::find_volumes(places);
    if (!set) throw diag::StorageError("the volumes that were there are gone");
    bundle::VolumesAtHand volumes(*set);
    const bundle::LeftOut left_out = read_manifests(volumes, drive, damaged());
    leave_out(left_out.images, left_out.others);
    const delivery::Plan plan = plan_for(volumes.info(), volumes, client);
    if (const auto to_bring = volumes_to_bring(plan, volumes); to_bring && m_settings.dry_run)
      m_run.report().fail(*to_bring);
    const auto in_place = m_run.execute(
        plan, client, nullptr, [&](Observer& observer, const PushOptions& options, Failures& failures) {
          push_blobs(plan, volumes, drive, client, observer, options, failures);
        });
    conclude(plan, in_place, volumes.info());
  }

  delivery::Plan plan_for(const bundle::BundleInfo& info, transport::ImageSource& source,
                          registry::RegistryClient& client, const delivery::LostBlobs& lost = {}) {
    if (m_settings.names) check_maps(info);
    delivery::Plan plan = m_run.plan(map_images(info, source, m_target, m_settings.names), client,
                                     required_of(info, m_target, m_settings.names), {}, lost);
    check_complete(plan);
    return plan;
  }

  // An image that was left out may be the one that is meant.
  void check_maps(const bundle::BundleInfo& info) {
    std::vector<image::Reference> names;
    for (const bundle::Image& image : info.images) names.push_back(image.name);
    cli::check_maps(*m_settings.names, names,
                    m_settings.allow_unused_map || m_run.report().report().status != 0);
  }

  // Nothing is written to a registry that lacks what the delta builds on.
  void check_complete(const delivery::Plan& plan) {
    if (plan.missing.empty()) return;
    tell_missing(plan);
    refuse_missing(plan, m_target, want_list());
  }

  /// Empty where none is to be written.
  std::string want_list() const { return m_settings.dry_run ? std::string() : m_settings.want_list; }

  void tell_missing(const delivery::Plan& plan) {
    print_missing(plan, m_context.console);
    if (want_list().empty()) return;
    bundle::WantList list = want_list_of(plan, m_target);
    list.creator = m_context.creator();
    write_want_list_file(std::move(list), want_list());
  }

  bundle::Damaged damaged() const {
    return m_settings.keep_going ? bundle::Damaged::left_out : bundle::Damaged::refused;
  }

  // Each is named; without --keep-going they end the run. `others` touches none.
  void leave_out(const std::vector<bundle::BrokenImage>& broken, const std::optional<diag::Error>& others) {
    if (broken.size() == 1 && !m_settings.keep_going) throw diag::Error(broken.front().error);
    for (const bundle::BrokenImage& image : broken) m_run.leave_out(image.name, image.error);
    if (others) m_run.report().fail(*others);
    if (broken.empty() || m_settings.keep_going) return;
    diag::ErrorKind kind = broken.front().error.kind();
    for (const bundle::BrokenImage& image : broken) {
      if (bundle::outweighs(image.error.kind(), kind)) kind = image.error.kind();
    }
    throw diag::Error(
        kind,
        fmt::format("{} in {} are not whole, and nothing was sent", text::counted(broken.size(), "image"),
                    text::escape(m_settings.bundles.front())),
        "export them again, or push the others with --keep-going; 'verify' lists all that is wrong");
  }

  /// What the push leaves behind for others; a dry run leaves nothing.
  void conclude(const delivery::Plan& plan, const std::vector<bool>& in_place,
                const bundle::BundleInfo& info) {
    if (m_settings.dry_run) return;
    write_receipt(plan, in_place, info);
    remove_want_list(info);
  }

  // An image that was left out or failed may miss something still, and what another bundle lacks it may lack
  // yet.
  void remove_want_list(const bundle::BundleInfo& info) {
    const std::string& file = m_settings.want_list;
    if (file.empty() || info.requires_.empty() || m_run.report().report().status != 0) return;
    if (!remove_want_list_file(file)) return;
    m_context.console.status(
        fmt::format("{} was a want-list of before and is removed: nothing is missing", text::escape(file)));
  }

  void write_receipt(const delivery::Plan& plan, const std::vector<bool>& in_place,
                     const bundle::BundleInfo& info) const {
    if (m_settings.receipt.empty()) return;
    bundle::Receipt receipt = receipt_of(plan, in_place, m_target);
    receipt.creator = m_context.creator();
    receipt.created = bundle::creation_time().text;
    if (!info.stream.empty()) receipt.position = bundle::StreamPosition{info.stream, info.sequence};
    const std::filesystem::path path(m_settings.bundles.front());
    if (m_settings.bundles.front() != "-")
      receipt.bundle = text::escape((path.has_filename() ? path : path.parent_path()).filename().string());
    cli::write_report_file(m_settings.receipt, bundle::write_receipt(receipt), "receipt");
    m_context.console.status(fmt::format("receipt: {}", text::escape(m_settings.receipt)));
  }

  const ImportSettings& m_settings;
  cli::Context& m_context;
  image::RegistryTarget m_target;
  delivery::DeliveryRun m_run;
};

}  // namespace

int run_import(const ImportSettings& settings, cli::Context& context) {
  refuse_swapped(settings);
  ImportRun run(settings, context);
  if (!settings.receipt.empty()) cli::check_report_file(settings.receipt, "receipt");
  if (!settings.want_list.empty()) cli::check_report_file(settings.want_list, "want-list");
  if (!settings.receipt.empty())
    static_cast<void>(bundle::creation_time());  // refuses a clock that is far off
  return run.run();
}

}  // namespace airgap::importer
