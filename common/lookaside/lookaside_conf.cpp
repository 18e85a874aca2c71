#include "common/lookaside/lookaside_conf.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <vector>

#include "common/diag/error.hpp"
#include "common/io/followed_file.hpp"
#include "common/registry/environment.hpp"
#include "common/text/escape.hpp"
#include "common/yaml/reader.hpp"

namespace airgap::lookaside {
namespace {

namespace fs = std::filesystem;

constexpr const char* k_system = "/etc/containers/registries.d";
constexpr std::size_t k_max_file = std::size_t{1} << 20;

// From the most to the least particular, as containers/image looks.
std::vector<std::string> candidates(const image::Reference& name) {
  std::vector<std::string> list{name.str()};
  for (std::string space = name.name();; space.resize(space.rfind('/'))) {
    list.push_back(space);
    if (space.find('/') == space.npos) break;
  }
  std::string_view domain = name.registry;
  for (std::size_t dot = domain.find('.'); dot != domain.npos; dot = domain.find('.')) {
    domain.remove_prefix(dot + 1);
    list.push_back("*." + std::string(domain));
  }
  list.emplace_back();
  return list;
}

std::string text_of(const yaml::Node& space, const char* name, const char* old_name) {
  const yaml::Node* url = space.find(name);
  if (url == nullptr) url = space.find(old_name);
  return url != nullptr ? url->text() : std::string{};
}

// Distributions ship files that are all comments.
bool says_nothing(std::string_view yaml) {
  while (!yaml.empty()) {
    const std::string_view line = yaml.substr(0, yaml.find('\n'));
    yaml.remove_prefix(std::min(yaml.size(), line.size() + 1));
    const std::size_t first = line.find_first_not_of(" \t\r");
    if (first != line.npos && line[first] != '#' && line != "---") return false;
  }
  return true;
}

std::string usual_directory() {
  const std::string home = registry::environment("HOME");
  const std::string own = home + "/.config/containers/registries.d";
  std::error_code error;
  return !home.empty() && fs::is_directory(own, error) ? own : k_system;
}

}  // namespace

void LookasideConf::add(std::string_view yaml, const std::string& file) {
  if (says_nothing(yaml)) return;
  const yaml::Node root = yaml::read(yaml, file);
  root.refuse_unknown({"default-docker", "docker"});
  const auto add_namespace = [&](const yaml::Node& place, const std::string& name, const yaml::Node& space) {
    if (space.is_null()) return;
    space.refuse_unknown({"lookaside", "lookaside-staging", "sigstore", "sigstore-staging",
                          "use-sigstore-attachments", "use-cosign-attachments"});
    Namespace urls{.read = text_of(space, "lookaside", "sigstore"),
                   .write = text_of(space, "lookaside-staging", "sigstore-staging"),
                   .file = file};
    if (urls.write.empty()) urls.write = urls.read;
    const auto [known, is_new] = m_namespaces.emplace(name, urls);
    if (!is_new) {
      place.fail(fmt::format("{} stands in {} already", name.empty() ? "default-docker" : text::escape(name),
                             known->second.file));
    }
  };
  if (const yaml::Node* all = root.find("default-docker")) add_namespace(*all, {}, *all);
  if (const yaml::Node* spaces = root.find("docker")) {
    for (const yaml::Member& member : spaces->members())
      add_namespace(member.key, member.key.text(), member.value);
  }
}

std::optional<std::string> LookasideConf::find(const image::Reference& name,
                                               std::string Namespace::*url) const {
  for (const std::string& candidate : candidates(name)) {
    const auto space = m_namespaces.find(candidate);
    if (space != m_namespaces.end() && !(space->second.*url).empty()) return space->second.*url;
  }
  return std::nullopt;
}

std::optional<std::string> LookasideConf::read_url(const image::Reference& name) const {
  return find(name, &Namespace::read);
}

std::optional<std::string> LookasideConf::write_url(const image::Reference& name) const {
  return find(name, &Namespace::write);
}

LookasideConf load_lookaside_conf(const std::string& directory) {
  const std::string path = directory.empty() ? usual_directory() : directory;
  std::vector<std::string> files;
  std::error_code error;
  for (fs::directory_iterator it(path, error), end; !error && it != end; it.increment(error)) {
    if (it->path().extension() == ".yaml") files.push_back(it->path().string());
  }
  if (error && !(directory.empty() && error == std::errc::no_such_file_or_directory)) {
    throw diag::UsageError(fmt::format("cannot read {}: {}", text::escape(path), error.message()),
                           "--registries-d names a directory with files as in " + std::string(k_system));
  }
  std::sort(files.begin(), files.end());
  LookasideConf conf;
  for (const std::string& file : files) {
    try {
      conf.add(io::read_followed_file(file, k_max_file), file);
    } catch (const diag::StorageError& failure) {
      throw diag::UsageError(failure.message(), failure.hint());
    }
  }
  return conf;
}

}  // namespace airgap::lookaside
