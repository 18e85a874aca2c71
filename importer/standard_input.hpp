#pragma once

#include "common/io/file.hpp"
#include "common/io/stream.hpp"

namespace airgap::importer {

/// Standard input as a Source. Throws UsageError when it is a terminal.
class StandardInput : public io::Source {
 public:
  StandardInput();
  std::size_t read(std::span<std::byte> out) override { return m_file.read_some(out); }

 private:
  io::File m_file;
};

}  // namespace airgap::importer
