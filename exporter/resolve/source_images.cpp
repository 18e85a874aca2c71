#include "exporter/resolve/source_images.hpp"

#include <fmt/format.h>

#include <set>
#include <utility>

#include "common/cli/naming.hpp"
#include "common/diag/log.hpp"
#include "exporter/resolve/expand.hpp"
#include "exporter/resolve/pin_blobs.hpp"

namespace airgap::exporter {
namespace {

// Credentials given for this run belong to the one registry that is named; several registries need an auth
// file.
std::string credential_host(const Selection& selection) {
  std::set<std::string> hosts;
  for (const Wanted& wanted : selection.images) hosts.insert(wanted.name.registry);
  for (const WantedTags& wanted : selection.repositories) hosts.insert(wanted.repository.registry);
  for (const WantedBlobs& wanted : selection.blobs) hosts.insert(wanted.place.repository.registry);
  return hosts.size() == 1 ? *hosts.begin() : std::string{};
}

/// What registries.conf makes of short names. Says it once for each name that docker would understand
/// otherwise.
class ShortNames {
 public:
  explicit ShortNames(const registry::RegistriesConf& conf) : m_conf(conf) {}

  std::string operator()(const std::string& text) {
    const registry::Alias* alias = m_conf.alias_of(text);
    std::string full = m_conf.expanded(text);
    const std::string short_name = text.substr(0, text.find_first_of(":@"));
    if (alias != nullptr && m_told.insert(alias).second &&
        image::Reference::parse(short_name).name() != alias->name) {
      diag::log("select", diag::LogLevel::info, fmt::format("{} is {}, says {}", text, full, alias->file));
    }
    return full;
  }

 private:
  const registry::RegistriesConf& m_conf;
  std::set<const registry::Alias*> m_told;
};

// --no-referrers: those that a lock pins stay behind too.
void leave_accessories(Selection& selection) {
  const bool some = !selection.images.empty();
  std::erase_if(selection.images, [](const Wanted& image) { return image.pin && image.pin->subject; });
  if (!some || !selection.images.empty() || !selection.repositories.empty() || !selection.blobs.empty())
    return;
  throw diag::UsageError(
      "--no-referrers leaves nothing of what the lock names: all of it accompanies other images",
      "leave the option out, or make a lock of the images themselves");
}

Selection select_and_say(const SourceSettings& settings, cli::Console& console) {
  SelectOptions options = settings.select;
  options.expand_short_name = ShortNames(settings.access.registries());
  Selection selection = select(options);
  if (!settings.referrers) leave_accessories(selection);
  if (selection.default_platform && !(selection.images.empty() && selection.repositories.empty())) {
    console.status(fmt::format("platform {} (this machine's; choose with --platform)",
                               selection.platforms.general.str()));
  }
  return selection;
}

}  // namespace

SourceImages::SourceImages(const SourceSettings& settings, cli::Context& context, cli::ReportedRun& run)
    : m_settings(settings),
      m_context(context),
      m_run(run),
      m_selection(select_and_say(settings, context.console)),
      m_access(settings.access, credential_host(m_selection), context, m_selection.registries) {}

PinnedImages SourceImages::pin(const KnownImages& known) {
  TagLists tags(client());
  expand_repositories(tags);
  m_context.console.begin_count("resolving", m_selection.images.size(), false);
  PinnedImages pinned = resolve(m_selection, client(), tags, known,
                                {.jobs = m_settings.access.jobs,
                                 .referrers = m_settings.referrers,
                                 .keep_going = m_settings.keep_going,
                                 .stop = m_context.stop,
                                 .image_done = [this] { m_context.console.count(1); }});
  m_context.console.end_count();
  report_failed(pinned.failed);
  for (const WantedBlobs& wanted : m_selection.blobs) pin_blobs(wanted, pinned);
  if (pinned.images.empty() && !pinned.failed.empty()) throw pinned.failed.front().error;
  note(pinned);
  return pinned;
}

void SourceImages::expand_repositories(TagLists& tags) {
  if (m_selection.repositories.empty()) return;
  Expanded expanded = expand(std::move(m_selection), tags,
                             {.jobs = m_settings.access.jobs,
                              .allow_empty = m_settings.allow_empty,
                              .none_is_fine = m_settings.none_is_fine && m_settings.allow_empty,
                              .keep_going = m_settings.keep_going,
                              .stop = m_context.stop});
  m_selection = std::move(expanded.selection);
  report_failed(expanded.failed);
  if (m_selection.images.empty() && !expanded.failed.empty()) throw expanded.failed.front().error;
}

void SourceImages::report_failed(const std::vector<FailedImage>& failed) {
  for (const FailedImage& image : failed) {
    cli::ImageOutcome outcome;
    outcome.name = image.name;
    m_run.fail(std::move(outcome), "is left out", image.error);
  }
}

void SourceImages::note(const PinnedImages& pinned) {
  for (const PinnedImage& image : pinned.images) {
    for (const std::string& text : image.notes) note(image.name, text);
  }
}

void SourceImages::note(const image::Reference& name, const std::string& text) {
  diag::log("plan", diag::LogLevel::warning, fmt::format("{} {}", name.str(), text));
  m_notes[name].push_back(text);
}

void SourceImages::check_maps(const image::Mapping& names,
                              const std::vector<image::Reference>& images) const {
  cli::check_maps(names, images,
                  m_settings.allow_unused_map || m_settings.allow_empty || m_run.report().status != 0);
}

const std::vector<std::string>& SourceImages::notes_of(const image::Reference& name) const {
  static const std::vector<std::string> none;
  const auto notes = m_notes.find(name);
  return notes != m_notes.end() ? notes->second : none;
}

}  // namespace airgap::exporter
