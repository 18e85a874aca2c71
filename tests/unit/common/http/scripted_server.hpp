#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "common/http/url.hpp"
#include "common/task/guarded.hpp"

namespace airgap::test {

/// One accepted connection, as a script sees it.
class Peer {
 public:
  explicit Peer(int fd) : m_fd(fd) {}
  std::string read_head();                  ///< up to and with the empty line; empty when the client has gone
  std::string read_body(std::size_t size);  ///< what arrives, up to `size` bytes
  bool send(std::string_view bytes);        ///< false when the client has gone
  void wait_for_close();                    ///< keeps silent until the client hangs up

 private:
  int m_fd;
  std::string m_ahead;  // read but not asked for
};

/// A TCP server on loopback whose every byte is written by the test. The script runs on a thread of its own
/// for each connection, which closes when it returns.
class ScriptedServer {
 public:
  using Script = std::function<void(Peer&)>;
  explicit ScriptedServer(Script script);
  /// Answers every request of every connection with the same bytes.
  static Script answering(std::string bytes);
  ~ScriptedServer();  ///< hangs up on everybody
  ScriptedServer(const ScriptedServer&) = delete;
  ScriptedServer& operator=(const ScriptedServer&) = delete;

  http::Url url(std::string_view path = "/") const;
  int accepted() const { return m_accepted; }

 private:
  void run();

  Script m_script;
  int m_listener = -1;
  std::uint16_t m_port = 0;
  std::atomic<int> m_accepted = 0;
  task::Guarded<std::vector<int>> m_open;
  std::vector<std::jthread> m_connections;
  std::jthread m_acceptor;
};

}  // namespace airgap::test
