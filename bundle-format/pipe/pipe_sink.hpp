#pragma once

#include <stop_token>

#include "common/io/file.hpp"
#include "common/io/stream.hpp"

namespace airgap::bundle {

/// A pipe, or whatever standard output was sent to, as a Sink. The reader closing it is a StorageError, so
/// this process ignores SIGPIPE from here on. Throws UsageError for a terminal. While nobody reads a pipe it
/// waits for a reader or, with Interrupted, for `stop`.
class PipeSink : public io::Sink {
 public:
  explicit PipeSink(io::File pipe, std::stop_token stop = {});
  void write(std::span<const std::byte> data) override;
  void finish() override;

 private:
  io::File m_pipe;
  std::stop_token m_stop;
};

}  // namespace airgap::bundle
