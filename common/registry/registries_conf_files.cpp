#include "common/registry/registries_conf_files.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "common/diag/error.hpp"
#include "common/diag/log.hpp"
#include "common/io/followed_file.hpp"
#include "common/registry/environment.hpp"
#include "common/toml/reader.hpp"

namespace airgap::registry {
namespace {

namespace fs = std::filesystem;

constexpr const char* k_main = "/registries.conf";
constexpr const char* k_way_out =
    "--registries-conf FILE reads another file, --registries-conf none reads none";

bool exists(const std::string& file) {
  return access(file.c_str(), F_OK) == 0;
}

std::string read_text(const std::string& path) {
  try {
    return io::read_followed_file(path, toml::k_max_document);  // the reader refuses a longer one
  } catch (const diag::StorageError& error) {
    throw diag::UsageError(error.message(), k_way_out);
  }
}

RegistriesConf read_file(const std::string& path) {
  diag::log("registry", diag::LogLevel::debug, fmt::format("reading {}", path));
  try {
    return parse_registries_conf(read_text(path), path);
  } catch (diag::UsageError& error) {
    if (error.hint().empty()) error.set_hint(k_way_out);
    throw;
  }
}

std::vector<std::string> drop_ins(const std::string& directory) {
  std::vector<std::string> files;
  std::error_code error;
  for (fs::directory_iterator it(directory, error), end; !error && it != end; it.increment(error)) {
    std::error_code ignored;
    if (it->path().extension() == ".conf" && !it->is_directory(ignored)) files.push_back(it->path().string());
  }
  if (error && error != std::errc::no_such_file_or_directory) {
    throw diag::UsageError(fmt::format("cannot read {}: {}", directory, error.message()), k_way_out);
  }
  std::sort(files.begin(), files.end());
  return files;
}

// All but the recorded aliases, in the order to read.
std::vector<std::string> files_in(const ConfPlaces& places) {
  std::vector<std::string> files;
  const auto add_drop_ins = [&](const std::string& place) {
    if (place.empty()) return;
    for (std::string& file : drop_ins(place + "/registries.conf.d")) files.push_back(std::move(file));
  };
  if (!places.only.empty()) return {places.only};
  if (!places.user.empty() && exists(places.user + k_main)) {
    files.push_back(places.user + k_main);
  } else {
    for (const std::string& place : {places.system, places.vendor}) {
      if (place.empty() || !exists(place + k_main)) continue;
      files.push_back(place + k_main);
      break;
    }
    add_drop_ins(places.system);
  }
  add_drop_ins(places.user);
  return files;
}

}  // namespace

ConfPlaces usual_conf_places() {
  ConfPlaces places{.only = environment("CONTAINERS_REGISTRIES_CONF"),
                    .last = environment("CONTAINERS_REGISTRIES_CONF_OVERRIDE")};
  if (!places.only.empty()) return places;
  places.system = "/etc/containers";
  places.vendor = "/usr/share/containers";
  const std::string home = environment("HOME");
  if (!home.empty()) places.user = home + "/.config/containers";
  std::string cache = environment("XDG_CACHE_HOME");
  if (cache.empty() && !home.empty()) cache = home + "/.cache";
  if (geteuid() == 0) cache = "/var/cache";
  if (!cache.empty()) places.recorded_aliases = cache + "/containers/short-name-aliases.conf";
  return places;
}

RegistriesConf load_registries_conf(const ConfPlaces& places) {
  RegistriesConf conf;
  for (const std::string& file : files_in(places)) conf.update_with(read_file(file));
  if (!places.last.empty()) conf.update_with(read_file(places.last));
  if (places.only.empty() && !places.recorded_aliases.empty() && exists(places.recorded_aliases)) {
    conf.update_with(
        {.rules = {}, .aliases = read_file(places.recorded_aliases).aliases, .credential_helpers = {}});
  }
  return conf;
}

}  // namespace airgap::registry
