#include "exporter/select/select.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <optional>
#include <set>

#include "bundle-format/metadata/json_kind.hpp"
#include "bundle-format/metadata/want_list.hpp"
#include "common/cli/input_file.hpp"
#include "common/diag/error.hpp"
#include "common/diag/log.hpp"
#include "common/image/image_list.hpp"
#include "common/text/escape.hpp"
#include "exporter/select/lock_file.hpp"
#include "exporter/select/no_list.hpp"
#include "exporter/select/selected_names.hpp"
#include "exporter/select/skopeo_yaml.hpp"

namespace airgap::exporter {
namespace {

constexpr std::size_t k_max_list = std::size_t{16} << 20;  // bytes: half a million names

cli::InputFile read_list(const std::string& file) {
  if (file != "-") refuse_what_is_no_list(file);
  return cli::read_input_file(file, k_max_list, "the list", "--from");
}

image::Reference parse_name(const std::string& text, const std::string& place) {
  try {
    return image::Reference::parse(text);
  } catch (const diag::FormatError& error) {
    throw diag::UsageError(place.empty() ? error.message() : place + ": " + error.message(), error.hint());
  }
}

/// Puts a selection together from what the command line and the lists name.
class Collector {
 public:
  Collector(Selection& selection, const SelectOptions& options)
      : m_selection(selection), m_options(options) {}

  void add_name(const std::string& text, const std::string& place) {
    image::Reference name = parse_name(m_options.full_name(text), place);
    if (m_options.all_tags && !name.tag && !name.digest) {
      m_selection.repositories.push_back({std::move(name), TagFilter(AllTags{}), place});
    } else {
      add(name.with_default_tag());
    }
  }

  void add_list(const cli::InputFile& list) {
    if (bundle::json_kind(list.text) == bundle::k_want_list_kind) return add_want_list(list);
    if (bundle::json_kind(list.text) == k_lock_kind)
      return add_lock(parse_lock(list.text, list.shown), list.shown);
    if (!looks_like_yaml(list.text)) {
      for (const image::ListedName& listed : image::parse_image_list(list.text, list.shown))
        add_name(listed.text, listed.place);
      return;
    }
    SkopeoYaml yaml = parse_skopeo_yaml(list.text, list.shown);
    add_rules(yaml.platforms, m_selection.platforms.listed);
    add_rules(yaml.targets, m_selection.targets);
    for (Wanted& image : yaml.images) add(std::move(image.name));
    for (WantedTags& tags : yaml.repositories) m_selection.repositories.push_back(std::move(tags));
    for (const auto& [host, settings] : yaml.settings) {
      if (settings.credential && list.others_may_read) {
        diag::log(
            "select", diag::LogLevel::warning,
            fmt::format("{0} holds credentials and other users may read it; chmod 600 {0}", list.shown));
      }
      const auto [known, is_new] = m_selection.registries.emplace(host, settings);
      if (!is_new && known->second != settings) {
        throw diag::UsageError(
            fmt::format("{} says of {} what another list does not", list.shown, host),
            "give both the same credentials, tls-verify and cert-dir, or run them one after another");
      }
    }
  }

 private:
  template <class Value>
  static void add_rules(const NameRules<Value>& rules, NameRules<Value>& all) {
    for (const auto& [name, rule] : rules.all()) {
      const auto& in_force = all.add(name, rule.value, rule.place);
      if (in_force.value == rule.value) continue;
      throw diag::UsageError(
          fmt::format("{}: {} says otherwise of {}", rule.place, in_force.place, name.str()),
          "give both the same, or run the lists one after another");
    }
  }

  void add_want_list(const cli::InputFile& list) {
    try {
      for (const bundle::WantedOfImage& image : bundle::parse_want_list(list.text).images) add_wanted(image);
    } catch (const diag::FormatError& error) {
      throw diag::UsageError(fmt::format("{}: {}", list.shown, error.message()),
                             "it has to be as 'airgap-import push --want-list' wrote it");
    }
  }

  void add_wanted(const bundle::WantedOfImage& image) {
    BlobPlace place{{.registry = image.name.registry, .repository = image.name.repository}, image.target};
    const auto [known, is_new] = m_places.try_emplace(place, m_selection.blobs.size());
    if (is_new) m_selection.blobs.push_back({std::move(place), {}});
    for (const bundle::WantedBlob& blob : image.blobs)
      m_selection.blobs[known->second].blobs.push_back({blob, image.name});
  }

  // A lock goes before what only names an image, and two locks must agree.
  void add_lock(Lock lock, const std::string& file) {
    if (m_selection.locked_names.value_or(lock.names) != lock.names) {
      throw diag::UsageError(file + " and another lock name images inside in different ways",
                             "run the locks one after another");
    }
    m_selection.locked_names = lock.names;
    for (Wanted& image : lock.images) {
      const auto [known, is_new] = m_seen.try_emplace(image.name, m_selection.images.size());
      if (is_new) {
        m_selection.images.push_back(std::move(image));
        continue;
      }
      std::optional<Pin>& pin = m_selection.images[known->second].pin;
      if (pin && !same_but_file(*pin, *image.pin)) {
        throw diag::UsageError(fmt::format("{} pins {} as {} does not", file, image.name.str(), pin->lock),
                               "run the locks one after another");
      }
      pin = std::move(image.pin);
    }
  }

  static bool same_but_file(Pin a, const Pin& b) {
    a.lock = b.lock;
    return a == b;
  }

  void add(image::Reference name) {
    if (m_seen.try_emplace(name, m_selection.images.size()).second) {
      m_selection.images.push_back({std::move(name)});
    }
  }

  Selection& m_selection;
  const SelectOptions& m_options;
  std::map<image::Reference, std::size_t> m_seen;  // place in m_selection.images
  std::map<BlobPlace, std::size_t> m_places;       // place in m_selection.blobs
};

// LIST in general, or NAME=LIST.
void add_platforms(const std::string& text, const SelectOptions& options, std::string& general,
                   PlatformRules& rules) {
  const std::size_t equals = text.find('=');
  if (equals == text.npos) {
    general += (general.empty() ? "" : ",") + text;
    return;
  }
  const std::string place = "--platform " + text;
  image::Reference name = image::Reference::parse(options.full_name(text.substr(0, equals)));
  if (name.digest) {
    throw diag::UsageError(place + ": an image by digest travels whole, whatever the platforms",
                           "name a repository, or an image by its tag");
  }
  const auto filter = image::PlatformFilter::parse(text.substr(equals + 1));
  const PlatformRules::Rule& in_force = rules.add(name, filter, place);
  if (in_force.value == filter) return;
  throw diag::UsageError(fmt::format("{} and {} differ", in_force.place, place),
                         "write both in one: NAME=linux/amd64,linux/arm64");
}

void choose_platforms(const SelectOptions& options, Selection& selection) {
  std::string general;
  try {
    for (const std::string& option : options.platforms)
      add_platforms(option, options, general, selection.platforms.asked);
    selection.default_platform = general.empty();
    selection.platforms.general =
        image::PlatformFilter::parse(selection.default_platform ? image::host_platform().str() : general);
  } catch (const diag::FormatError& error) {
    throw diag::UsageError("--platform: " + error.message(),
                           "write --platform linux/amd64, linux/amd64,linux/arm64 or all, for one image "
                           "--platform nginx:1.27=all");
  }
  const bool all_pinned = !selection.images.empty() && selection.repositories.empty() &&
                          std::all_of(selection.images.begin(), selection.images.end(),
                                      [](const Wanted& image) { return image.pin.has_value(); });
  if (all_pinned && !options.platforms.empty()) {
    throw diag::UsageError("--platform chooses nothing here: a lock says which platforms are carried",
                           "leave it out, or make another lock with airgap-export plan --lock FILE");
  }
  selection.default_platform = selection.default_platform && !all_pinned;
  std::vector<Wanted> free_to_choose;
  std::copy_if(selection.images.begin(), selection.images.end(), std::back_inserter(free_to_choose),
               [](const Wanted& image) { return !image.pin; });
  const SelectedNames selected(free_to_choose, selection.repositories);
  for (const auto& [name, rule] : selection.platforms.asked.all()) {
    if (selected.has(name)) continue;
    throw diag::UsageError(fmt::format("{}: {} is not selected", rule.place, name.str()),
                           selected.hint(name, &image::Reference::familiar));
  }
}

// What the command line says holds wherever tags are listed; what a list says of one repository goes first.
void narrow_lists(const SelectOptions& options, Selection& selection) {
  if (selection.repositories.empty() && (options.newest != 0 || !options.exclude.empty())) {
    throw diag::UsageError(fmt::format("{} chooses among listed tags, and none are listed",
                                       options.newest != 0 ? "--newest" : "--exclude"),
                           "--all-tags lists them, and lists in YAML do where they say []");
  }
  for (const std::string& expression : options.exclude) {
    std::string why = "it is empty";
    const auto pattern = expression.empty() ? std::nullopt : text::Pattern::compile(expression, why);
    if (!pattern) {
      throw diag::UsageError(
          fmt::format("--exclude: bad regular expression '{}': {}", text::escape(expression), why),
          "the syntax is RE2's");
    }
    for (WantedTags& wanted : selection.repositories) wanted.filter.exclude(*pattern);
  }
  if (options.newest == 0) return;
  for (WantedTags& wanted : selection.repositories) {
    if (!wanted.filter.newest()) wanted.filter.keep_newest(options.newest);
  }
}

}  // namespace

Selection select(const SelectOptions& options) {
  Selection selection;
  Collector collector(selection, options);
  for (const std::string& image : options.images) collector.add_name(image, {});
  if (options.all_tags && selection.repositories.empty() && options.from_files.empty()) {
    throw diag::UsageError("--all-tags has no image to work on", "name a repository without a tag");
  }
  for (const std::string& file : options.from_files) collector.add_list(read_list(file));
  if (selection.images.empty() && selection.repositories.empty() && selection.blobs.empty()) {
    throw diag::UsageError("no images are selected", "name images, or give a list with --from FILE");
  }
  // What is pinned comes first: where an accessory is pinned and found too, the pin counts.
  std::stable_partition(selection.images.begin(), selection.images.end(),
                        [](const Wanted& image) { return image.pin.has_value(); });
  narrow_lists(options, selection);
  choose_platforms(options, selection);
  return selection;
}

image::Mapping names_inside(const Selection& selection, image::Mapping asked) {
  if (selection.locked_names) {
    if (asked.mode != image::NameMode::path && asked.mode != *selection.locked_names) {
      throw diag::UsageError(fmt::format("--{} and the lock differ: it says how images are called inside",
                                         image::name_of(asked.mode)),
                             "leave it out, or make another lock with airgap-export plan --lock FILE");
    }
    asked.mode = *selection.locked_names;
  }
  for (const auto& [name, rule] : selection.targets.all()) asked.listed.emplace(name.str(), rule.value);
  return asked;
}

}  // namespace airgap::exporter
