#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "common/image/reference.hpp"

namespace airgap::lookaside {

/// What registries.d says: where the signatures of images lie, beside their registry
/// (containers-registries.d(5)). Nothing is looked up that it does not name: skopeo's default, a directory of
/// the machine that pulls, holds what was signed on that very machine, and an import from elsewhere would
/// take it for the source's.
class LookasideConf {
 public:
  /// Adds a file. Throws UsageError with its place for what it does not know, and for a namespace that
  /// another file has named.
  void add(std::string_view yaml, const std::string& file);

  bool empty() const noexcept { return m_namespaces.empty(); }
  /// The URL below which the repository's signatures are read or written: of the name with its tag or digest,
  /// its repository, the namespaces above, the registry, *.domain, or else the default. Empty: nowhere.
  std::optional<std::string> read_url(const image::Reference& name) const;
  std::optional<std::string> write_url(const image::Reference& name) const;

 private:
  struct Namespace {
    std::string read;
    std::string write;
    std::string file;  ///< that names it
  };
  std::optional<std::string> find(const image::Reference& name, std::string Namespace::*url) const;

  std::map<std::string, Namespace, std::less<>> m_namespaces;  ///< "" is the default
};

/// Every *.yaml of a directory; of the usual one (~/.config/containers/registries.d where it is there, else
/// /etc/containers/registries.d) when `directory` is empty. One that was named has to be there. Throws
/// UsageError.
LookasideConf load_lookaside_conf(const std::string& directory);

}  // namespace airgap::lookaside
