#include "tests/unit/common/http/scripted_server.hpp"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <stdexcept>

namespace airgap::test {

std::string Peer::read_head() {
  std::array<char, 4096> buffer;
  for (;;) {
    if (const auto end = m_ahead.find("\r\n\r\n"); end != std::string::npos) {
      std::string head = m_ahead.substr(0, end + 4);
      m_ahead.erase(0, end + 4);
      return head;
    }
    const ssize_t count = recv(m_fd, buffer.data(), buffer.size(), 0);
    if (count <= 0) return {};
    m_ahead.append(buffer.data(), static_cast<std::size_t>(count));
  }
}

std::string Peer::read_body(std::size_t size) {
  std::array<char, 65536> buffer;
  while (m_ahead.size() < size) {
    const ssize_t count = recv(m_fd, buffer.data(), std::min(buffer.size(), size - m_ahead.size()), 0);
    if (count <= 0) break;
    m_ahead.append(buffer.data(), static_cast<std::size_t>(count));
  }
  std::string body = m_ahead.substr(0, size);
  m_ahead.erase(0, body.size());
  return body;
}

bool Peer::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::send(m_fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

void Peer::wait_for_close() {
  std::array<char, 4096> buffer;
  while (recv(m_fd, buffer.data(), buffer.size(), 0) > 0) {
  }
}

ScriptedServer::ScriptedServer(Script script) : m_script(std::move(script)) {
  m_listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* raw = reinterpret_cast<sockaddr*>(&address);
  if (m_listener < 0 || bind(m_listener, raw, size) != 0 || listen(m_listener, 64) != 0 ||
      getsockname(m_listener, raw, &size) != 0) {
    throw std::runtime_error("no loopback port");
  }
  m_port = ntohs(address.sin_port);
  m_acceptor = std::jthread([this] { run(); });
}

ScriptedServer::Script ScriptedServer::answering(std::string bytes) {
  return [bytes = std::move(bytes)](Peer& peer) {
    while (!peer.read_head().empty() && peer.send(bytes)) {
    }
  };
}

ScriptedServer::~ScriptedServer() {
  shutdown(m_listener, SHUT_RDWR);
  m_acceptor.join();
  m_open.with([](const std::vector<int>& open) {
    for (const int fd : open) shutdown(fd, SHUT_RDWR);
  });
  m_connections.clear();
  close(m_listener);
}

http::Url ScriptedServer::url(std::string_view path) const {
  return http::Url::parse("http://127.0.0.1:" + std::to_string(m_port) + std::string(path));
}

void ScriptedServer::run() {
  for (;;) {
    const int fd = accept4(m_listener, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) return;
    ++m_accepted;
    m_open.with([fd](std::vector<int>& open) { open.push_back(fd); });
    m_connections.emplace_back([this, fd] {
      Peer peer(fd);
      m_script(peer);
      m_open.with([fd](std::vector<int>& open) { std::erase(open, fd); });
      close(fd);
    });
  }
}

}  // namespace airgap::test
