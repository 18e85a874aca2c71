#pragma once

#include <curl/curl.h>

#include <array>
#include <chrono>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "common/http/client.hpp"
#include "common/http/curl_failure.hpp"
#include "common/http/curl_request.hpp"
#include "common/http/head_parser.hpp"
#include "common/http/lane_pool.hpp"
#include "common/http/stall_clock.hpp"
#include "common/http/upload_body.hpp"

struct curl_sockaddr;

namespace airgap::http {

/// One request on one lane, driven by the thread that calls. libcurl writes straight into the reader's buffer
/// and is paused when that is full. While nobody reads nothing is driven, so the socket's window closes and
/// the other side waits.
class CurlTransfer : public Response {
 public:
  CurlTransfer(std::shared_ptr<LanePool> pool, const Request& request);
  ~CurlTransfer() override;
  CurlTransfer(const CurlTransfer&) = delete;  // libcurl keeps the address
  CurlTransfer& operator=(const CurlTransfer&) = delete;

  void await_head();
  const ResponseHead& head() const noexcept override { return m_parser.head(); }
  std::size_t read(std::span<std::byte> out) override;

 private:
  static std::size_t on_header(char* data, std::size_t, std::size_t size, void* self) noexcept;
  static std::size_t on_data(char* data, std::size_t, std::size_t size, void* self) noexcept;
  static std::size_t on_upload(char* out, std::size_t item, std::size_t count, void* self) noexcept;
  static int on_rewind(void* self, curl_off_t offset, int origin) noexcept;
  static curl_socket_t on_socket(void* self, curlsocktype, curl_sockaddr* address) noexcept;
  static CURLcode on_tls(CURL*, void* context, void* store) noexcept;
  template <class Result, class Body>
  Result guarded(Result failed, Body body) noexcept;

  std::size_t accept(std::span<const std::byte> bytes);  ///< the count, or CURL_WRITEFUNC_PAUSE
  void install_callbacks(const Request& request);
  bool step();  ///< lets libcurl do what it can without waiting; true when bytes arrived or it ended
  void wait();
  bool must_stop();
  void resume();
  void discard_rest();
  void collect_result();
  void count_upload();
  void finish(CURLcode code);
  void fail(std::exception_ptr error);
  void release_lane() noexcept;
  std::size_t take_spilled(std::span<std::byte> out);
  CURL* easy() const noexcept { return m_lane->easy.get(); }

  std::shared_ptr<LanePool> m_pool;
  AddressRule m_rule;
  Method m_method;
  Origin m_origin;
  std::shared_ptr<const TlsSettings> m_tls;
  std::optional<Proxy> m_proxy;
  std::unique_ptr<Lane> m_lane;  ///< null once the transfer is over
  bool m_attached = false;
  bool m_ended_well = false;
  HeaderList m_headers;
  std::array<char, CURL_ERROR_SIZE> m_detail{};
  std::optional<UploadBody> m_body;
  HeadParser m_parser;
  std::span<std::byte> m_free;  ///< what is left of the reader's buffer during read()
  bool m_paused = false;        ///< libcurl holds bytes back: at most one receive buffer
  bool m_discarding = false;    ///< nobody reads the rest
  std::vector<std::byte>
      m_spill;  ///< what came with the head: a short body whole, so that its lane is free again
  std::size_t m_spill_at = 0;
  std::uint64_t m_moved = 0;     ///< bytes received, headers included
  std::uint64_t m_received = 0;  ///< bytes of the body
  std::uint64_t m_sent = 0;      ///< bytes of the request that the peer has acknowledged
  std::string m_refused_address;
  std::exception_ptr m_thrown;  ///< out of a callback
  std::exception_ptr m_error;   ///< why the transfer broke; thrown after the bytes that came before
  StallClock m_stall;
  std::chrono::milliseconds m_grace;
  std::optional<std::chrono::steady_clock::time_point> m_stop_at;   ///< once a stop was asked for
  std::optional<std::stop_callback<std::function<void()>>> m_wake;  ///< ends curl_multi_poll early
};

}  // namespace airgap::http
