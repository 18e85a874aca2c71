#pragma once

#include <stop_token>

#include "common/io/file.hpp"
#include "common/io/stream.hpp"

namespace airgap::importer {

/// Standard input as a Source. Throws UsageError when it is a terminal. While nothing arrives it waits for
/// more or, with Interrupted, for `stop`.
class StandardInput : public io::Source {
 public:
  explicit StandardInput(std::stop_token stop);
  std::size_t read(std::span<std::byte> out) override;

 private:
  io::File m_file;
  std::stop_token m_stop;
};

}  // namespace airgap::importer
