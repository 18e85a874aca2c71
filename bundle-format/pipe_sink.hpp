#pragma once

#include "common/io/file.hpp"
#include "common/io/stream.hpp"

namespace airgap::bundle {

/// A pipe, or whatever standard output was sent to, as a Sink. The reader closing it is a StorageError, so
/// this process ignores SIGPIPE from here on. Throws UsageError for a terminal.
class PipeSink : public io::Sink {
 public:
  explicit PipeSink(io::File pipe);
  void write(std::span<const std::byte> data) override;
  void finish() override;

 private:
  io::File m_pipe;
};

}  // namespace airgap::bundle
