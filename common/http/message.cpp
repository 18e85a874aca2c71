#include "common/http/message.hpp"

#include <strings.h>

#include <algorithm>

namespace airgap::http {
namespace {

bool same_name(std::string_view a, std::string_view b) {
  return a.size() == b.size() && strncasecmp(a.data(), b.data(), a.size()) == 0;
}

/// A source that shares ownership of its bytes, since the request may be gone before it is read.
class SharedBytes : public io::Source {
 public:
  explicit SharedBytes(std::shared_ptr<const std::string> bytes)
      : m_bytes(std::move(bytes)), m_rest(*m_bytes) {}
  std::size_t read(std::span<std::byte> out) override { return m_rest.read(out); }

 private:
  std::shared_ptr<const std::string> m_bytes;
  io::MemorySource m_rest;
};

}  // namespace

std::string_view name(Method method) noexcept {
  switch (method) {
    case Method::get:
      return "GET";
    case Method::head:
      return "HEAD";
    case Method::post:
      return "POST";
    case Method::put:
      return "PUT";
    case Method::patch:
      return "PATCH";
    case Method::delete_:
      return "DELETE";
  }
  return "";
}

void Headers::set(std::string_view name, std::string value) {
  remove(name);
  add(std::string(name), std::move(value));
}

void Headers::remove(std::string_view name) {
  std::erase_if(m_fields, [name](const auto& field) { return same_name(field.first, name); });
}

std::optional<std::string> Headers::find(std::string_view name) const {
  for (const auto& [field, value] : m_fields) {
    if (same_name(field, name)) return value;
  }
  return std::nullopt;
}

std::vector<std::string> Headers::all(std::string_view name) const {
  std::vector<std::string> values;
  for (const auto& [field, value] : m_fields) {
    if (same_name(field, name)) values.push_back(value);
  }
  return values;
}

void set_body(Request& request, std::string bytes, std::string content_type) {
  request.headers.set("Content-Type", std::move(content_type));
  request.body_size = bytes.size();
  request.open_body = [shared = std::make_shared<const std::string>(std::move(bytes))] {
    return std::make_unique<SharedBytes>(shared);
  };
}

}  // namespace airgap::http
