#pragma once

#include <string>
#include <vector>

#include "common/cli/context.hpp"
#include "common/diag/error.hpp"

namespace airgap::importer {

/// The operator was asked for something, and the terminal is closed.
class NobodyAnswers : public diag::IntegrityError {
 public:
  using KindError::KindError;
};

/// The places where discs show up, one after the other, and the operator who changes them.
class DiscDrive {
 public:
  /// The context is borrowed.
  DiscDrive(std::vector<std::string> places, cli::Context& context);

  const std::vector<std::string>& places() const noexcept { return m_places; }

  /// The places in which there is something, once there is: before that it asks for a disc. A mount point
  /// without its medium is an empty directory.
  std::vector<std::string> filled_places();

  /// Puts a question, and waits at the terminal for ENTER, or for a path that becomes one more place. While
  /// it waits no progress is drawn. Throws NobodyAnswers with `otherwise` when the terminal is closed, now or
  /// before.
  void ask(const std::string& question, const std::string& otherwise);

 private:
  std::vector<std::string> m_places;
  cli::Context& m_context;
  bool m_closed = false;
};

}  // namespace airgap::importer
