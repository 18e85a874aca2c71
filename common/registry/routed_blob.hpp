#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>

#include "common/hash/digest.hpp"
#include "common/io/stream.hpp"
#include "common/registry/mirror_health.hpp"

namespace airgap::registry {

/// A blob that several endpoints may have.
struct RoutedBlobRequest {
  Repository name;  ///< as the user knows it
  hash::Digest digest;
  Route route;
  /// Opens it at one of them, from an offset in bytes.
  std::function<std::unique_ptr<io::Source>(const Endpoint& endpoint, std::uint64_t offset)> open;
};

/// The bytes of a blob from the first endpoint that gives them. One that fails half-way is replaced by the
/// next, from the byte where it stopped. One whose bytes were rejected is asked last when the blob is asked
/// for again. Not verified.
class RoutedBlob : public io::Source {
 public:
  /// `health` is borrowed. The first request is sent here.
  RoutedBlob(RoutedBlobRequest request, MirrorHealth& health, std::uint64_t offset);
  std::size_t read(std::span<std::byte> out) override;
  void reject() override;

 private:
  bool is_last() const { return m_index + 1 >= m_request.route.size(); }
  void open();
  void go_on_after(const diag::Error& error);

  RoutedBlobRequest m_request;
  MirrorHealth& m_health;
  std::size_t m_index;  // of the endpoint that is read
  std::uint64_t m_begin;
  std::uint64_t m_position;  // of the next byte that the caller gets
  std::unique_ptr<io::Source> m_source;
};

}  // namespace airgap::registry
