#include "common/http/upload_body.hpp"

#include <doctest/doctest.h>

#include <string>

#include "common/diag/error.hpp"

namespace airgap::http {
namespace {

/// Gives its text and then throws instead of ending.
class RefusedAtEnd : public io::Source {
 public:
  explicit RefusedAtEnd(std::string_view text) : m_rest(text) {}
  std::size_t read(std::span<std::byte> out) override {
    const std::size_t count = m_rest.read(out);
    if (count == 0) throw diag::IntegrityError("the digest differs");
    return count;
  }

 private:
  io::MemorySource m_rest;
};

Request upload(std::string text, std::uint64_t size) {
  Request request{.method = Method::put, .url = Url::parse("http://h/")};
  set_body(request, std::move(text), "application/octet-stream");
  request.body_size = size;
  return request;
}

std::string drain(UploadBody& body, std::size_t step) {
  std::string all;
  std::string buffer(step, '\0');
  while (const std::size_t count = body.read(std::as_writable_bytes(std::span(buffer))))
    all.append(buffer, 0, count);
  return all;
}

}  // namespace

TEST_CASE("a body is given out whole through buffers of any size") {
  const std::string text(100'000, 'x');
  for (const std::size_t step : {1U, 1000U, 16384U, 300'000U}) {
    CAPTURE(step);
    UploadBody body(upload(text, text.size()));
    CHECK(drain(body, step) == text);
    body.rewind();
    CHECK(drain(body, step) == text);
  }
}

TEST_CASE("a source of another size than declared is an integrity error") {
  UploadBody shorter(upload("abc", 4));
  CHECK_THROWS_WITH_AS(drain(shorter, 20'000), doctest::Contains("ended 1 bytes before"),
                       diag::IntegrityError);
  UploadBody longer(upload("abc", 2));
  CHECK_THROWS_WITH_AS(drain(longer, 20'000), doctest::Contains("longer than its 2 bytes"),
                       diag::IntegrityError);
}

TEST_CASE("the last bytes are held back until the source has approved of the whole") {
  Request request{.method = Method::put, .url = Url::parse("http://h/")};
  request.body_size = 3;
  request.open_body = [] { return std::make_unique<RefusedAtEnd>("abc"); };
  UploadBody body(request);
  std::string buffer(20'000, '\0');
  CHECK_THROWS_WITH_AS(body.read(std::as_writable_bytes(std::span(buffer))), "the digest differs",
                       diag::IntegrityError);
}

}  // namespace airgap::http
