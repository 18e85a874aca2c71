#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/diag/error.hpp"
#include "common/registry/repository.hpp"

namespace airgap::delivery {

/// The placements that failed in a run, with the first cause of each. A failure ends the run, or with
/// keep_going fails the placements that it touches. Thread-safe.
class Failures {
 public:
  using ImagesOf = std::function<std::vector<std::size_t>()>;  ///< called on failure alone
  explicit Failures(bool keep_going) : m_keep_going(keep_going) {}

  void run(const ImagesOf& images_of, const std::function<void()>& body);
  /// The same for a body that writes to `repository`. A project (the first path component) whose quota is
  /// used up gets nothing more: the body is not run then (R81).
  void push(const registry::Repository& repository, const ImagesOf& images_of,
            const std::function<void()>& body);

  bool all_failed(const std::vector<std::size_t>& images) const;
  bool has_failed(std::size_t image) const { return all_failed({image}); }
  /// What failed so far. To be called when no worker runs.
  const std::map<std::size_t, diag::Error>& all() const noexcept { return m_failed; }

 private:
  using Project = std::pair<std::string, std::string>;  // registry, first path component
  std::optional<diag::Error> refusal_of(const Project& project) const;

  bool m_keep_going;
  mutable std::mutex m_mutex;
  std::map<std::size_t, diag::Error> m_failed;
  std::map<Project, diag::Error> m_full;  // with what their registry said
};

}  // namespace airgap::delivery
