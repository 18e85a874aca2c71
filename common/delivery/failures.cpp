#include "common/delivery/failures.hpp"

#include <algorithm>

#include "common/registry/api_error.hpp"

namespace airgap::delivery {

void Failures::run(const ImagesOf& images_of, const std::function<void()>& body) {
  try {
    body();
  } catch (const diag::Interrupted&) {
    throw;
  } catch (const diag::Error& error) {
    if (!m_keep_going) throw;
    const std::vector<std::size_t> images = images_of();
    const std::scoped_lock lock(m_mutex);
    for (const std::size_t image : images) m_failed.emplace(image, error);
  }
}

void Failures::push(const registry::Repository& repository, const ImagesOf& images_of,
                    const std::function<void()>& body) {
  const Project project{repository.registry, repository.path.substr(0, repository.path.find('/'))};
  run(images_of, [&] {
    if (const auto refusal = refusal_of(project)) throw diag::Error(*refusal);
    try {
      body();
    } catch (const registry::QuotaExceeded& error) {
      const std::scoped_lock lock(m_mutex);
      m_full.emplace(project, error);
      throw;
    }
  });
}

std::optional<diag::Error> Failures::refusal_of(const Project& project) const {
  const std::scoped_lock lock(m_mutex);
  const auto found = m_full.find(project);
  return found == m_full.end() ? std::nullopt : std::optional(found->second);
}

bool Failures::all_failed(const std::vector<std::size_t>& images) const {
  const std::scoped_lock lock(m_mutex);
  return std::all_of(images.begin(), images.end(),
                     [&](std::size_t image) { return m_failed.contains(image); });
}

}  // namespace airgap::delivery
