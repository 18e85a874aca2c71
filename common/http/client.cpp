#include "common/http/client.hpp"

#include <utility>

namespace airgap::http {

TransferError::TransferError(std::string message, bool retryable, std::string hint)
    : diag::NetworkError(std::move(message), std::move(hint)), m_retryable(retryable) {}

}  // namespace airgap::http
