#include "common/diag/error.hpp"

namespace airgap::diag {

Error::Error(ErrorKind kind, std::string message, std::string hint)
    : m_kind(kind), m_message(std::move(message)), m_hint(std::move(hint)) {}

void Error::add_context(std::string context) {
  if (m_context.empty() || m_context.back() != context) m_context.push_back(std::move(context));
}

std::string Error::full_message() const {
  std::string text = m_message;
  for (std::size_t i = 0; i < m_context.size(); ++i) {
    text += i == 0 ? " (while " : ", while ";
    text += m_context[i];
  }
  if (!m_context.empty()) text += ")";
  return text;
}

}  // namespace airgap::diag
