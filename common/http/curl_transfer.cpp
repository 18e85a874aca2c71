#include "common/http/curl_transfer.hpp"

#include <fmt/format.h>
#include <linux/sockios.h>
#include <openssl/ssl.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "common/diag/error.hpp"
#include "common/http/address_rule.hpp"
#include "common/io/file.hpp"
#include "common/text/escape.hpp"

namespace airgap::http {
namespace {

constexpr std::size_t k_short_body = std::size_t{64} * 1024;  // bytes that are taken before anybody reads
constexpr std::chrono::milliseconds k_longest_poll{1000};     // a stop and arriving bytes end it sooner
constexpr std::uint64_t k_server_rate =
    std::uint64_t{32} * 1024 * 1024;  // bytes a second that a server stores and hashes

void check(CURLMcode code) {
  if (code != CURLM_OK)
    throw diag::InternalError(fmt::format("libcurl failed: {}", curl_multi_strerror(code)));
}

/// Silence that is borne before an answer: a registry hashes what it was sent first.
StallClock::Duration patience(const CurlOptions& options, const Request& request) {
  return options.stall_timeout +
         std::chrono::seconds(request.open_body ? request.body_size / k_server_rate : 0);
}

}  // namespace

CurlTransfer::CurlTransfer(std::shared_ptr<LanePool> pool, const Request& request)
    : m_pool(std::move(pool)),
      m_rule(request.addresses),
      m_method(request.method),
      m_origin(request.url.origin()),
      m_tls(request.tls ? request.tls : std::make_shared<const TlsSettings>()),
      m_proxy(proxy_for(m_origin, process_environment)),
      m_lane(m_pool->borrow(m_rule)),
      m_stall(patience(m_pool->options(), request)),
      m_grace(request.grace) {
  m_parser.head().url = request.url;
  m_headers = apply_request(easy(), request, m_pool->options(), m_proxy);
  install_callbacks(request);
  if (request.open_body) m_body.emplace(request);
  check(curl_multi_add_handle(m_lane->multi.get(), easy()));
  m_attached = true;
  m_wake.emplace(m_pool->options().stop, [multi = m_lane->multi.get()] { curl_multi_wakeup(multi); });
}

CurlTransfer::~CurlTransfer() {
  try {
    discard_rest();
  } catch (...) {  // NOLINT(bugprone-empty-catch): the answer is not wanted any more
  }
  release_lane();
}

void CurlTransfer::install_callbacks(const Request& request) {
  set_option(easy(), CURLOPT_ERRORBUFFER, m_detail.data());
  set_option(easy(), CURLOPT_HEADERFUNCTION, &CurlTransfer::on_header);
  set_option(easy(), CURLOPT_HEADERDATA, this);
  set_option(easy(), CURLOPT_WRITEFUNCTION, &CurlTransfer::on_data);
  set_option(easy(), CURLOPT_WRITEDATA, this);
  set_option(easy(), CURLOPT_READFUNCTION, &CurlTransfer::on_upload);
  set_option(easy(), CURLOPT_READDATA, this);
  set_option(easy(), CURLOPT_OPENSOCKETFUNCTION, &CurlTransfer::on_socket);
  set_option(easy(), CURLOPT_OPENSOCKETDATA, this);
  if (request.repeatable) {  // a kept connection turned out dead: libcurl sends again on a new one
    set_option(easy(), CURLOPT_SEEKFUNCTION, &CurlTransfer::on_rewind);
    set_option(easy(), CURLOPT_SEEKDATA, this);
  }
  if (m_tls->verify && (m_origin.scheme == "https" || m_proxy)) {
    set_option(easy(), CURLOPT_SSL_CTX_FUNCTION, &CurlTransfer::on_tls);
    set_option(easy(), CURLOPT_SSL_CTX_DATA, static_cast<void*>(m_pool->trust_store(m_tls->ca_files)));
  }
}

void CurlTransfer::await_head() {
  while (!m_parser.complete()) {
    if (m_error) std::rethrow_exception(m_error);
    if (!m_lane)
      throw TransferError(fmt::format("{} closed the connection without an answer", m_origin.str()), true);
    if (!step() && m_lane) wait();
  }
  if (m_parser.head().status == 407 && m_proxy) {
    throw describe({
        .code = CURLE_PROXY,
        .detail = {},
        .proxy_status = 407,
        .origin = m_origin,
        .proxy = m_proxy->shown,
    });
  }
  m_stall.set_limit(m_pool->options().stall_timeout);
}

std::size_t CurlTransfer::read(std::span<std::byte> out) {
  if (const std::size_t count = take_spilled(out); count != 0) return count;
  m_free = out;
  resume();
  while (m_lane && !m_paused) {
    if (step()) continue;
    if (m_free.size() != out.size()) break;  // better a part now than more later
    if (m_lane) wait();
  }
  const std::size_t count = out.size() - std::exchange(m_free, {}).size();
  if (count != 0) return count;
  if (m_error) std::rethrow_exception(m_error);
  return 0;
}

std::size_t CurlTransfer::take_spilled(std::span<std::byte> out) {
  const std::size_t count = std::min(out.size(), m_spill.size() - m_spill_at);
  if (count != 0) std::memcpy(out.data(), m_spill.data() + m_spill_at, count);
  m_spill_at += count;
  return count;
}

void CurlTransfer::resume() {
  if (!m_lane || !std::exchange(m_paused, false)) return;
  const CURLcode code = curl_easy_pause(easy(), CURLPAUSE_CONT);  // hands over what was held back
  if (m_thrown) {
    fail(m_thrown);
  } else if (code != CURLE_OK) {
    finish(code);
  }
}

/// A short body that nobody wanted is often there already; then the connection lives on.
void CurlTransfer::discard_rest() {
  if (!m_lane || !m_parser.complete() || m_body) return;
  m_discarding = true;
  resume();
  if (m_lane) step();
}

bool CurlTransfer::step() {
  const std::uint64_t before = m_moved;
  int running = 0;
  check(curl_multi_perform(m_lane->multi.get(), &running));
  m_stall.moved(m_moved - before);
  if (m_thrown) {
    fail(m_thrown);
  } else if (running == 0) {
    collect_result();
  } else if (must_stop()) {
    fail(std::make_exception_ptr(diag::Interrupted()));
  }
  return m_moved != before || !m_lane;
}

bool CurlTransfer::must_stop() {
  if (!m_pool->options().stop.stop_requested()) return false;
  const auto now = std::chrono::steady_clock::now();
  if (!m_stop_at) m_stop_at = now + m_grace;
  return now >= *m_stop_at;
}

void CurlTransfer::wait() {
  const auto begin = std::chrono::steady_clock::now();
  auto longest = k_longest_poll;
  if (m_stop_at)
    longest = std::min(longest, std::chrono::ceil<std::chrono::milliseconds>(*m_stop_at - begin));
  const int milliseconds = static_cast<int>(std::max(longest.count(), std::chrono::milliseconds::rep{0}));
  check(curl_multi_poll(m_lane->multi.get(), nullptr, 0, milliseconds, nullptr));
  if (m_body) count_upload();
  m_stall.waited(std::chrono::steady_clock::now() - begin);
  if (!m_stall.expired()) return;
  fail(std::make_exception_ptr(
      TransferError(fmt::format("{} stalled: less than 1 KiB/s for {} seconds (got {} bytes)", m_origin.str(),
                                m_pool->options().stall_timeout.count(), m_received),
                    true, "--stall-timeout SECONDS gives a slow line more time")));
}

/// What libcurl has sent may still sit in the kernel: only what left there has moved.
void CurlTransfer::count_upload() {
  curl_off_t handed = 0;
  curl_socket_t socket = CURL_SOCKET_BAD;
  curl_easy_getinfo(easy(), CURLINFO_SIZE_UPLOAD_T, &handed);
  curl_easy_getinfo(easy(), CURLINFO_ACTIVESOCKET, &socket);
  int queued = 0;
  if (socket != CURL_SOCKET_BAD && ioctl(socket, SIOCOUTQ, &queued) != 0) queued = 0;
  const curl_off_t acknowledged = std::max<curl_off_t>(handed - queued, 0);
  const auto sent = static_cast<std::uint64_t>(acknowledged);
  if (sent > m_sent) m_stall.moved(sent - std::exchange(m_sent, sent));
}

void CurlTransfer::collect_result() {
  int left = 0;
  while (const CURLMsg* message = curl_multi_info_read(m_lane->multi.get(), &left)) {
    if (message->msg == CURLMSG_DONE) return finish(message->data.result);
  }
  throw diag::InternalError("libcurl ended a transfer without a result");
}

void CurlTransfer::finish(CURLcode code) {
  CurlFailure failure{.code = code,
                      .detail = m_detail.data(),
                      .connect_seconds = static_cast<long>(m_pool->options().connect_timeout.count()),
                      .origin = m_origin,
                      .proxy = m_proxy ? m_proxy->shown : std::string(),
                      .received = m_received,
                      .expected = m_parser.head().content_length};
  curl_easy_getinfo(easy(), CURLINFO_SSL_VERIFYRESULT, &failure.verify_result);
  curl_easy_getinfo(easy(), CURLINFO_HTTP_CONNECTCODE, &failure.proxy_status);
  const int status = m_parser.head().status;
  const bool bodiless = m_method == Method::head || status == 204 || status == 304;
  const bool cut = !bodiless && failure.expected && m_received != *failure.expected;
  if (code == CURLE_OK && cut) failure.code = CURLE_PARTIAL_FILE;
  if (code == CURLE_COULDNT_CONNECT && !m_refused_address.empty()) {
    fail(std::make_exception_ptr(
        diag::UnsafeError(fmt::format("{} is at the private address {}, and it was not named by the user",
                                      m_origin.host, m_refused_address),
                          private_address_hint(m_origin))));
  } else if (failure.code != CURLE_OK) {
    fail(std::make_exception_ptr(describe(failure)));
  } else {
    m_ended_well = true;
  }
  release_lane();
}

void CurlTransfer::fail(std::exception_ptr error) {
  m_error = std::move(error);
  release_lane();
}

void CurlTransfer::release_lane() noexcept {
  if (!m_lane) return;
  m_wake.reset();  // waits for a wake-up that is under way
  if (m_attached)
    curl_multi_remove_handle(m_lane->multi.get(), easy());  // closes a connection that is in mid-body
  m_attached = false;
  m_body.reset();
  m_pool->give_back(m_rule, std::move(m_lane), m_ended_well);
}

template <class Result, class Body>
Result CurlTransfer::guarded(Result failed, Body body) noexcept {
  try {
    return body();
  } catch (...) {
    m_thrown = std::current_exception();
    return failed;
  }
}

std::size_t CurlTransfer::on_header(char* data, std::size_t, std::size_t size, void* self) noexcept {
  auto& transfer = *static_cast<CurlTransfer*>(self);
  return transfer.guarded(std::size_t{0}, [&] {
    transfer.m_moved += size;
    if (transfer.m_parser.complete()) return size;
    transfer.m_parser.line({data, size});
    if (transfer.m_parser.complete() && !transfer.m_proxy) {
      const char* address = nullptr;
      curl_easy_getinfo(transfer.easy(), CURLINFO_PRIMARY_IP, &address);
      if (address != nullptr) transfer.m_parser.head().remote_address = address;
    }
    return size;
  });
}

std::size_t CurlTransfer::on_data(char* data, std::size_t, std::size_t size, void* self) noexcept {
  auto& transfer = *static_cast<CurlTransfer*>(self);
  return transfer.guarded(std::size_t{CURL_WRITEFUNC_ERROR}, [&]() -> std::size_t {
    return transfer.accept(std::as_bytes(std::span(data, size)));
  });
}

std::size_t CurlTransfer::accept(std::span<const std::byte> bytes) {
  const std::size_t size = bytes.size();
  if (m_discarding) {
    m_spill_at += size;
    if (m_spill_at > k_short_body) return CURL_WRITEFUNC_ERROR;  // closing the connection costs less
  } else if (size <= m_free.size()) {
    std::memcpy(m_free.data(), bytes.data(), size);
    m_free = m_free.subspan(size);
  } else if (m_spill.size() + size <= k_short_body && m_free.empty() && m_received == m_spill.size()) {
    m_spill.insert(m_spill.end(), bytes.begin(), bytes.end());
  } else {
    m_paused = true;
    return CURL_WRITEFUNC_PAUSE;
  }
  m_moved += size;
  m_received += size;
  return size;
}

std::size_t CurlTransfer::on_upload(char* out, std::size_t item, std::size_t count, void* self) noexcept {
  auto& transfer = *static_cast<CurlTransfer*>(self);
  if (!transfer.m_body) return 0;
  return transfer.guarded(std::size_t{CURL_READFUNC_ABORT}, [&] {
    return transfer.m_body->read(std::as_writable_bytes(std::span(out, item * count)));
  });
}

int CurlTransfer::on_rewind(void* self, curl_off_t offset, int origin) noexcept {
  auto& transfer = *static_cast<CurlTransfer*>(self);
  if (offset != 0 || origin != SEEK_SET) return CURL_SEEKFUNC_CANTSEEK;
  return transfer.guarded(int{CURL_SEEKFUNC_FAIL}, [&] {
    if (transfer.m_body) transfer.m_body->rewind();
    return int{CURL_SEEKFUNC_OK};
  });
}

curl_socket_t CurlTransfer::on_socket(void* self, curlsocktype, curl_sockaddr* address) noexcept {
  auto& transfer = *static_cast<CurlTransfer*>(self);
  return transfer.guarded(curl_socket_t{CURL_SOCKET_BAD}, [&]() -> curl_socket_t {
    // Through a proxy the address is the proxy's, which the user named.
    if (transfer.m_rule == AddressRule::public_only && !transfer.m_proxy &&
        !is_public_address(address->addr)) {
      transfer.m_refused_address = address_text(address->addr);
      return CURL_SOCKET_BAD;
    }
    // Credential helpers are started from this process: no socket may leak into them.
    const int fd = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
    // Not the host's fault, and no better for waiting (R140).
    if (fd < 0 && (errno == EMFILE || errno == ENFILE))
      io::throw_errno(errno, "cannot connect to " + transfer.m_origin.str());
    return fd;
  });
}

CURLcode CurlTransfer::on_tls(CURL*, void* context, void* store) noexcept {
  SSL_CTX_set1_cert_store(static_cast<SSL_CTX*>(context), static_cast<X509_STORE*>(store));
  return CURLE_OK;
}

}  // namespace airgap::http
