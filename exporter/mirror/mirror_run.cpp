#include "exporter/mirror/mirror_run.hpp"

#include <fmt/format.h>

#include <utility>

#include "common/cli/naming.hpp"
#include "common/delivery/delivery_run.hpp"
#include "common/delivery/tag_deletion.hpp"
#include "common/diag/log.hpp"
#include "common/text/human_size.hpp"
#include "exporter/mirror/mirror_places.hpp"
#include "exporter/mirror/mirror_prune.hpp"
#include "exporter/mirror/mirror_target.hpp"
#include "exporter/mirror/origin_source.hpp"
#include "exporter/resolve/lookaside_signatures.hpp"

namespace airgap::exporter {
namespace {

delivery::Sender the_source() {
  return {.name = "the source",
          .when_corrupted =
              "the source registry, or a proxy before it, serves other bytes than those of the "
              "digest; if that stays so, the image has to be pushed again there"};
}

// The target is never read through mirrors.
cli::RegistryAccessOptions to_push(cli::RegistryAccessOptions access) {
  access.pulls = false;
  return access;
}

/// One run of `mirror`: chains the stages.
class MirrorRun {
 public:
  MirrorRun(const MirrorSettings& settings, cli::Context& context)
      : m_settings(settings),
        m_context(context),
        m_where(cli::parse_target(settings.to)),
        m_run({.command = "mirror",
               .bundle = {},
               .target = m_where.str(),
               .jobs = settings.source.access.jobs,
               .keep_going = settings.source.keep_going,
               .dry_run = settings.dry_run,
               .sender = the_source()},
              context) {}

  int run() {
    return m_run.run([this] { stages(); });
  }

 private:
  void stages() {
    SourceImages source(m_settings.source, m_context, m_run.report());
    // Several registries are named here, so that credentials given for "the" registry are refused.
    cli::RegistryAccess access(to_push(m_settings.source.access), {}, m_context,
                               source.selection().registries);
    registry::RegistryClient& client = access.client();
    const image::Mapping names = names_inside(source.selection(), m_settings.names);
    MirrorTarget target(client, names, m_where, source.selection().images);
    // What a filter passes over the source has all the same.
    std::vector<WantedTags> whole = source.selection().repositories;
    std::erase_if(whole, [](const WantedTags& wanted) { return !wanted.filter.takes_all(); });
    if (m_settings.prune && whole.empty())
      diag::log("mirror", diag::LogLevel::warning,
                "nothing is pruned: no repository is selected with all its tags, without a filter");

    PinnedImages pinned = source.pin(target.known());
    source.check_maps(names, names_of(pinned));
    warn_of_lookaside(pinned, {}, "mirror");
    OriginSource origin(source.client(), pinned);
    auto placements = place_images(std::move(pinned), source, target);
    if (!m_settings.overwrite) refuse_moves(placements, target.tags());
    const delivery::Plan plan = m_run.plan(std::move(placements), client, {}, target.tags());
    const StaleTags stale = stale_tags(whole, plan, target, client);
    show(stale);
    m_run.execute(plan, client, &origin, [&](auto& observer, const auto& options, auto& failures) {
      delivery::push_blobs(plan, origin, client, observer, options, failures);
    });
    if (!m_settings.dry_run) prune(stale, client);
  }

  // What failed is at the source all the same, so that nothing can be said of its tags.
  StaleTags stale_tags(const std::vector<WantedTags>& whole, const delivery::Plan& plan,
                       const MirrorTarget& target, registry::RegistryClient& client) {
    if (!m_settings.prune) return {};
    if (m_run.report().report().status != 0) {
      m_context.console.status("nothing is deleted, since images failed");
      return {};
    }
    return find_stale_tags(whole, plan.placements, m_settings.source.allow_empty, target, client);
  }

  // --no-overwrite-tags: checked before anything is written.
  void refuse_moves(std::vector<delivery::Placement>& placements, const delivery::KnownTags& tags) {
    std::vector<delivery::Placement> rest;
    for (delivery::Placement& placement : placements) {
      const auto before = tags.find(placement.target);
      if (before == tags.end() || !before->second || *before->second == placement.digest) {
        rest.push_back(std::move(placement));
        continue;
      }
      const diag::IntegrityError error(
          fmt::format("{} stands for {} already, and for {} at the source", placement.target.str(),
                      before->second->str(), placement.digest.str()),
          "leave out --no-overwrite-tags to move the tag, or find out who moved it");
      if (!m_settings.source.keep_going) throw diag::IntegrityError(error);
      cli::ImageOutcome outcome;
      outcome.name = placement.name.str();
      outcome.target = placement.target.str();
      outcome.digest = placement.digest.str();
      m_run.report().fail(std::move(outcome), "is left as it is", error);
    }
    placements = std::move(rest);
  }

  void show(const StaleTags& stale) const {
    for (const auto& [repository, tags] : stale) {
      for (const StaleTag& tag : tags) {
        m_context.console.result(fmt::format("delete tag {}:{} ({}): the source selection does not have it",
                                             repository.str(), tag.tag, tag.digest.brief()));
      }
    }
  }

  void prune(const StaleTags& stale, registry::RegistryClient& client) {
    if (stale.empty()) return;
    if (m_run.report().report().status != 0) {
      m_context.console.status("nothing is deleted, since images failed");
      return;
    }
    std::size_t count = 0;
    for (const auto& entry : stale) {
      const registry::Repository& repository = entry.first;
      const auto& tags = entry.second;
      if (m_context.stop.stop_requested()) throw diag::Interrupted();
      std::vector<std::string> names;
      for (const StaleTag& tag : tags) names.push_back(tag.tag);
      diag::with_context([&] { return "deleting tags of " + repository.str(); },
                         [&] { delivery::delete_tags(repository, names, client); });
      for (const StaleTag& tag : tags) record_deleted(repository, tag);
      count += tags.size();
    }
    m_context.console.status(fmt::format("{} deleted", text::counted(count, "tag")));
  }

  void record_deleted(const registry::Repository& repository, const StaleTag& tag) {
    cli::ImageOutcome outcome;
    outcome.target = repository.str() + ":" + tag.tag;
    outcome.digest = tag.digest.str();
    outcome.outcome = "deleted";
    outcome.seconds = m_run.report().seconds();
    m_context.console.image_finished(outcome.target, outcome.outcome, 0, outcome.seconds);
    m_run.report().add(std::move(outcome));
  }

  const MirrorSettings& m_settings;
  cli::Context& m_context;
  image::RegistryTarget m_where;
  delivery::DeliveryRun m_run;
};

}  // namespace

int run_mirror(const MirrorSettings& settings, cli::Context& context) {
  return MirrorRun(settings, context).run();
}

}  // namespace airgap::exporter
