#include "common/diag/exit_code.hpp"

#include <array>

namespace airgap::diag {
namespace {

struct Row {
  ErrorKind kind;
  int status;
  std::string_view name;
};

constexpr std::array k_rows{
    Row{ErrorKind::internal, 1, "internal"},         Row{ErrorKind::usage, 2, "usage"},
    Row{ErrorKind::network, 3, "network"},           Row{ErrorKind::credentials, 4, "credentials"},
    Row{ErrorKind::integrity, 5, "integrity"},       Row{ErrorKind::unsafe, 6, "unsafe"},
    Row{ErrorKind::storage, 7, "storage"},           Row{ErrorKind::busy, 8, "busy"},
    Row{ErrorKind::interrupted, 130, "interrupted"},
};

const Row& row(ErrorKind kind) noexcept {
  for (const Row& candidate : k_rows) {
    if (candidate.kind == kind) return candidate;
  }
  return k_rows.front();
}

}  // namespace

int exit_code(ErrorKind kind) noexcept {
  return row(kind).status;
}
std::string_view kind_name(ErrorKind kind) noexcept {
  return row(kind).name;
}

}  // namespace airgap::diag
