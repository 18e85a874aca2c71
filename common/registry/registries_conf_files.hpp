#pragma once

#include <string>
#include <vector>

#include "common/registry/registries_conf.hpp"

namespace airgap::registry {

/// Where registries.conf files are looked for. Empty text: nowhere.
struct ConfPlaces {
  std::string only{};    ///< a file that somebody named: it has to be there, and nothing below is read
  std::string last{};    ///< read after all others, `only` included; it has to be there
  std::string user{};    ///< directory; its registries.conf replaces what stands in `system`
  std::string system{};  ///< directory
  std::string vendor{};  ///< directory whose registries.conf is read where neither has one
  std::string recorded_aliases{};  ///< the file in which podman keeps the answers to its questions
};

/// From the environment: CONTAINERS_REGISTRIES_CONF, CONTAINERS_REGISTRIES_CONF_OVERRIDE, HOME.
ConfPlaces usual_conf_places();

/// Reads and merges them in the order of containers-registries.conf.d(5): the main file, then
/// registries.conf.d of the system and of the user, each by name; of the user alone where the user has a main
/// file. Throws UsageError, also for files that cannot be read.
RegistriesConf load_registries_conf(const ConfPlaces& places);

}  // namespace airgap::registry
