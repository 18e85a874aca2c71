#pragma once

#include <memory>
#include <stop_token>
#include <utility>

#include "common/diag/error.hpp"
#include "common/io/stream.hpp"

namespace airgap::bundle {

/// Bytes that are copied on this machine, where no network ends what takes long: Interrupted once a stop is
/// requested.
class InterruptibleSource final : public io::Source {
 public:
  InterruptibleSource(std::unique_ptr<io::Source> from, std::stop_token stop)
      : m_from(std::move(from)), m_stop(std::move(stop)) {}
  std::size_t read(std::span<std::byte> out) override {
    if (m_stop.stop_requested()) throw diag::Interrupted();
    return m_from->read(out);
  }
  void reject() override { m_from->reject(); }

 private:
  std::unique_ptr<io::Source> m_from;
  std::stop_token m_stop;
};

}  // namespace airgap::bundle
