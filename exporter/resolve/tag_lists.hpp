#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "common/registry/registry_client.hpp"

namespace airgap::exporter {

/// Tag lists, each asked for once however many images of a repository are resolved at once. Thread-safe.
class TagLists {
 public:
  explicit TagLists(registry::RegistryClient& client) : m_client(client) {}
  /// A mirror's will do where the registry fails: they tell what accompanies an image. Throws what find_tags
  /// throws, to every caller.
  const registry::FoundTags& of(const registry::Repository& repository);
  /// All of them, by the registry's own word; nothing when it does not know the repository.
  const std::optional<std::vector<std::string>>& find(const registry::Repository& repository);

 private:
  const registry::FoundTags& list(const registry::Repository& repository, registry::TagsFrom from);
  struct Slot {
    std::once_flag once;
    registry::FoundTags found;
  };
  registry::RegistryClient& m_client;
  std::mutex m_mutex;
  std::map<registry::Repository, std::unique_ptr<Slot>> m_slots;
};

}  // namespace airgap::exporter
