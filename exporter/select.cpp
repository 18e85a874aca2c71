#include "exporter/select.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <set>

#include "common/diag/error.hpp"
#include "common/diag/log.hpp"
#include "common/io/file.hpp"
#include "exporter/image_list.hpp"
#include "exporter/skopeo_yaml.hpp"

namespace airgap::exporter {
namespace {

constexpr std::size_t k_max_list = std::size_t{16} << 20;  // bytes: half a million names

image::Reference parse_name(const std::string& text, const std::string& place) {
  try {
    return image::Reference::parse(text);
  } catch (const diag::FormatError& error) {
    throw diag::UsageError(place.empty() ? error.message() : place + ": " + error.message(), error.hint());
  }
}

struct List {
  std::string text;
  std::string shown;  ///< its name in messages
  bool others_may_read = false;
};

// The user named it, so links are followed: --from <(command) is one.
io::File open_list(const std::string& file) {
  const int fd = file == "-" ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0)
                             : open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY);
  if (fd < 0) io::throw_errno(errno, "cannot open " + file);
  return {fd, file};
}

List read_list(const std::string& file) {
  try {
    io::File opened = open_list(file);
    List list{.text = {}, .shown = file == "-" ? "standard input" : file};
    struct stat status {};
    list.others_may_read =
        file != "-" && fstat(opened.fd(), &status) == 0 && (status.st_mode & (S_IRGRP | S_IROTH)) != 0;
    std::vector<std::byte> buffer(io::k_pump_buffer);
    while (const std::size_t count = opened.read_some(buffer)) {
      list.text.append(io::text_of(std::span(buffer).first(count)));
      if (list.text.size() > k_max_list) throw diag::UsageError(file + " is too large for a list of images");
    }
    return list;
  } catch (const diag::StorageError& error) {
    throw diag::UsageError("cannot read the list: " + error.message(), "check the path given with --from");
  }
}

/// Puts a selection together from what the command line and the lists name.
class Collector {
 public:
  Collector(Selection& selection, bool all_tags) : m_selection(selection), m_all_tags(all_tags) {}

  void add_name(const std::string& text, const std::string& place) {
    image::Reference name = parse_name(text, place);
    if (m_all_tags && !name.tag && !name.digest) {
      m_selection.repositories.push_back({std::move(name), TagFilter(AllTags{}), place});
    } else {
      add(name.with_default_tag());
    }
  }

  void add_list(const List& list) {
    if (!looks_like_yaml(list.text)) {
      for (const ListedName& listed : parse_image_list(list.text, list.shown))
        add_name(listed.text, listed.place);
      return;
    }
    SkopeoYaml yaml = parse_skopeo_yaml(list.text, list.shown);
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
  void add(image::Reference name) {
    if (m_seen.insert(name).second) m_selection.images.push_back({std::move(name)});
  }

  Selection& m_selection;
  bool m_all_tags;
  std::set<image::Reference> m_seen;
};

void choose_platforms(const std::string& text, Selection& selection) {
  selection.default_platform = text.empty();
  const std::string choice = text.empty() ? image::host_platform().str() : text;
  try {
    selection.platforms = image::PlatformFilter::parse(choice);
  } catch (const diag::FormatError& error) {
    throw diag::UsageError(error.message(), "write --platform linux/amd64, linux/amd64,linux/arm64 or all");
  }
  selection.platform_choice = selection.platforms.str();
}

}  // namespace

Selection select(const SelectOptions& options) {
  Selection selection;
  Collector collector(selection, options.all_tags);
  for (const std::string& image : options.images) collector.add_name(image, {});
  if (options.all_tags && selection.repositories.empty() && options.from_files.empty()) {
    throw diag::UsageError("--all-tags has no image to work on", "name a repository without a tag");
  }
  for (const std::string& file : options.from_files) collector.add_list(read_list(file));
  if (selection.images.empty() && selection.repositories.empty()) {
    throw diag::UsageError("no images are selected", "name images, or give a list with --from FILE");
  }
  choose_platforms(options.platforms, selection);
  return selection;
}

}  // namespace airgap::exporter
