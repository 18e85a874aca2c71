#pragma once

#include <string>
#include <vector>

#include "common/cli/declaration.hpp"

namespace airgap::cli {

/// A command's name and summary.
struct NamedCommand {
  std::string name;
  std::string summary;
};

// What --help prints, wrapped at 80 columns, with a newline at the end.
std::string command_help(const Declaration& declaration);
std::string program_help(const std::string& program, const std::string& summary,
                         const std::vector<NamedCommand>& commands);

}  // namespace airgap::cli
