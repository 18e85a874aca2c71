#include "importer/receipt_run.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "bundle-format/metadata/creation_time.hpp"
#include "common/cli/input_file.hpp"
#include "common/cli/naming.hpp"
#include "common/cli/report_file.hpp"
#include "common/cli/reported_run.hpp"
#include "common/delivery/plan.hpp"
#include "common/delivery/survey.hpp"
#include "common/image/image_list.hpp"
#include "common/registry/registry_source.hpp"
#include "common/task/for_each.hpp"
#include "common/text/escape.hpp"
#include "common/text/human_size.hpp"
#include "importer/receipt_of.hpp"

namespace airgap::importer {
namespace {

constexpr std::size_t k_max_list = std::size_t{16} << 20;  // bytes: half a million names

/// An image to be looked for.
struct Sought {
  image::Reference name;
  image::Reference target;
};

/// A name that begins with the registry is one inside; every other is a source name, called inside as push
/// would call it.
Sought sought(const image::ListedName& listed, const image::RegistryTarget& where,
              const image::Mapping& naming) {
  try {
    const std::string inside = where.registry + "/";
    if (listed.text.starts_with(inside)) {
      const auto target =
          image::Reference::in_registry(where.registry, listed.text.substr(inside.size())).with_default_tag();
      return {target, target};
    }
    const image::Reference name = image::Reference::parse(listed.text).with_default_tag();
    return {name, naming.target(name, where)};
  } catch (const diag::FormatError& error) {
    throw diag::UsageError(listed.place + ": " + error.message(), error.hint());
  }
}

std::vector<Sought> read_names(const ReceiptSettings& settings, const image::RegistryTarget& where) {
  const cli::InputFile list = cli::read_input_file(settings.list, k_max_list, "the list", "--from");
  std::vector<Sought> names;
  std::set<image::Reference> seen;
  for (const image::ListedName& listed : image::parse_image_list(list.text, list.shown)) {
    Sought one = sought(listed, where, settings.naming);
    if (seen.insert(one.target).second) names.push_back(std::move(one));
  }
  if (names.empty()) {
    throw diag::UsageError(list.shown + " names no image",
                           "write one image name a line; '#' begins a comment");
  }
  return names;
}

delivery::Placement read_placement(const Sought& image, registry::RegistryClient& client) {
  const registry::Repository repository{image.target.registry, image.target.repository};
  const std::string reference =
      image.target.digest ? image.target.digest->str() : image.target.tag.value_or(std::string{});
  const auto root = client.get_manifest(repository, reference);
  if (!root) {
    throw diag::NetworkError(
        fmt::format("{} is not in the registry", image.target.str()),
        "take it off the list, or see whether push calls it so: --scoped, --flat and --map "
        "have to be as they were then");
  }
  registry::RegistrySource source(client, repository);
  delivery::Placement placement{.name = image.name,
                                .digest = root->descriptor.digest,
                                .subject = {},
                                .target = image.target,
                                .repository = repository,
                                .graph = transport::load_graph(source, root->descriptor)};
  placement.bytes = placement.graph.bytes();
  return placement;
}

bool has_addresses(const delivery::Placement& placement, const hash::Digest& layer) {
  return std::ranges::any_of(placement.graph.layers, [&](const image::Descriptor& descriptor) {
    return descriptor.digest == layer && !descriptor.urls.empty();
  });
}

/// Layers with addresses of their own: who pulls finds them there, and other programs do not push them.
AbsentBlobs left_elsewhere(const delivery::Plan& plan) {
  AbsentBlobs absent;
  for (const delivery::BlobStep& step : plan.blobs) {
    for (const std::size_t i : step.images) {
      const delivery::Placement& placement = plan.placements[i];
      if (step.lacked_by(placement.repository) && has_addresses(placement, step.blob.digest))
        absent.emplace(placement.repository, step.blob.digest);
    }
  }
  return absent;
}

/// One run of `receipt`.
class ReceiptRun {
 public:
  ReceiptRun(const ReceiptSettings& settings, cli::Context& context)
      : m_settings(settings),
        m_context(context),
        m_where(cli::parse_target(settings.target)),
        m_run(context, "receipt") {
    m_run.report().target = m_where.str();
    if (!settings.output.empty()) cli::check_report_file(settings.output, "receipt");
  }

  int run() {
    return m_run.run("run the same command again", [this] { stages(); });
  }

 private:
  void stages() {
    const std::vector<Sought> names = read_names(m_settings, m_where);
    cli::RegistryAccess access(m_settings.access, m_where.registry, m_context);
    registry::RegistryClient& client = access.client();
    std::vector<delivery::Placement> placements = read_placements(names, client);
    const auto content = delivery::survey(
        placements, client,
        {.jobs = m_settings.access.jobs, .stop = m_context.stop, .to_push = false, .begin = {}, .asked = {}});
    const delivery::Plan plan = delivery::make_plan(std::move(placements), content);
    const AbsentBlobs elsewhere = left_elsewhere(plan);
    if (!elsewhere.empty()) {
      m_context.console.status(
          fmt::format("{} {} not in it, for the registry does not have {}: a delta brings {}",
                      text::counted(elsewhere.size(), "foreign layer"), elsewhere.size() == 1 ? "is" : "are",
                      elsewhere.size() == 1 ? "it" : "them", elsewhere.size() == 1 ? "it" : "them"));
    }
    write(plan, whole(plan, elsewhere), elsewhere);
  }

  std::vector<delivery::Placement> read_placements(const std::vector<Sought>& names,
                                                   registry::RegistryClient& client) {
    std::vector<std::optional<delivery::Placement>> found(names.size());
    std::vector<std::optional<diag::Error>> failed(names.size());
    m_context.console.begin_count("reading manifests", names.size(), false);
    task::for_each_index(names.size(), m_settings.access.jobs, m_context.stop, [&](std::size_t i) {
      try {
        found[i] = read_placement(names[i], client);
      } catch (const diag::Interrupted&) {
        throw;
      } catch (const diag::Error& error) {
        if (!m_settings.keep_going) throw;
        failed[i] = error;
      }
      m_context.console.count(1);
    });
    m_context.console.end_count();
    std::vector<delivery::Placement> placements;
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (failed[i]) leave_out(names[i].name, names[i].target, *failed[i]);
      if (found[i]) placements.push_back(std::move(*found[i]));
    }
    return placements;
  }

  /// Beside the placements: those of which the registry has every blob that should be there.
  std::vector<bool> whole(const delivery::Plan& plan, const AbsentBlobs& elsewhere) {
    std::vector<bool> whole(plan.placements.size(), true);
    for (const delivery::BlobStep& step : plan.blobs) {
      for (const std::size_t i : step.images) {
        const delivery::Placement& placement = plan.placements[i];
        if (!step.lacked_by(placement.repository) || !whole[i]) continue;
        if (elsewhere.contains({placement.repository, step.blob.digest})) continue;
        whole[i] = false;
        const diag::IntegrityError error(fmt::format("{} lacks blob {} of {}", m_where.registry,
                                                     step.blob.digest.str(), placement.target.str()),
                                         "push the image again, or take it off the list");
        if (!m_settings.keep_going) throw diag::IntegrityError(error);
        leave_out(placement.name, placement.target, error);
      }
    }
    return whole;
  }

  void leave_out(const image::Reference& name, const image::Reference& target, const diag::Error& error) {
    cli::ImageOutcome outcome;
    outcome.name = name.str();
    outcome.target = target.str();
    m_run.fail(std::move(outcome), "is left out", error);
  }

  void write(const delivery::Plan& plan, const std::vector<bool>& whole, const AbsentBlobs& elsewhere) {
    bundle::Receipt receipt = receipt_of(plan, whole, m_where, elsewhere);
    receipt.creator = m_context.creator();
    receipt.created = bundle::creation_time().text;
    for (std::size_t i = 0; i < whole.size(); ++i) {
      if (!whole[i]) continue;
      const delivery::Placement& placement = plan.placements[i];
      cli::ImageOutcome outcome;
      outcome.name = placement.name.str();
      outcome.digest = placement.digest.str();
      outcome.target = placement.target.str();
      outcome.bytes = placement.bytes;
      outcome.outcome = "present";
      m_run.add(std::move(outcome));
    }
    const std::string text = bundle::write_receipt(receipt);
    if (m_settings.output.empty()) {
      m_context.console.result(std::string_view(text).substr(0, text.size() - 1));
    } else {
      cli::write_report_file(m_settings.output, text, "receipt");
    }
    m_context.console.status(fmt::format("{}: a receipt of {} and {}", m_where.str(),
                                         text::counted(receipt.images.size(), "image"),
                                         text::counted(receipt.blobs.size(), "blob")));
  }

  const ReceiptSettings& m_settings;
  cli::Context& m_context;
  const image::RegistryTarget m_where;
  cli::ReportedRun m_run;
};

}  // namespace

int run_receipt(const ReceiptSettings& settings, cli::Context& context) {
  return ReceiptRun(settings, context).run();
}

}  // namespace airgap::importer
