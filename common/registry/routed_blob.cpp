#include "common/registry/routed_blob.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "common/diag/log.hpp"
#include "common/hash/verifying_source.hpp"

namespace airgap::registry {

RoutedBlob::RoutedBlob(RoutedBlobRequest request, MirrorHealth& health, std::uint64_t offset)
    : m_request(std::move(request)), m_health(health), m_index(0), m_begin(offset), m_position(offset) {
  Route& route = m_request.route;
  const auto giver = m_health.wrong_giver(m_request.name, m_request.digest);
  if (const auto place = giver ? std::find(route.begin(), route.end(), *giver) : route.end();
      place != route.end()) {
    std::rotate(route.begin(), place + 1, route.end());
    diag::log("registry", diag::LogLevel::info,
              fmt::format("{} is read again, at {} after {}", m_request.digest.str(),
                          route.front().repository.str(), giver->repository.str()));
  }
  open();
}

void RoutedBlob::open() {
  while (!m_source) {
    if (!is_last() && m_health.is_down(m_request.route[m_index])) {
      ++m_index;
      continue;
    }
    try {
      m_source = m_request.open(m_request.route[m_index], m_position);
    } catch (const diag::Error& error) {
      if (is_last() || !may_ask_on(error)) throw;
      go_on_after(error);
    }
  }
}

std::size_t RoutedBlob::read(std::span<std::byte> out) {
  for (;;) {
    open();
    try {
      const std::size_t count = m_source->read(out);
      m_position += count;
      return count;
    } catch (const diag::Error& error) {
      if (is_last() || !may_ask_on(error)) throw;
      const bool worthless = error.kind() == diag::ErrorKind::integrity && m_position != m_begin;
      if (worthless) reject();
      go_on_after(error);
      if (worthless) throw hash::DigestMismatch(error.message());
    }
  }
}

void RoutedBlob::reject() {
  m_health.gave_wrong(m_request.name, m_request.digest, m_request.route[m_index]);
}

void RoutedBlob::go_on_after(const diag::Error& error) {
  m_health.failed(m_request.route[m_index], error);
  m_source.reset();
  ++m_index;
}

}  // namespace airgap::registry
