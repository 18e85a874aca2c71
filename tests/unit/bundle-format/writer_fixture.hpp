#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "bundle-format/bundle_writer.hpp"
#include "bundle-format/metadata/contents.hpp"
#include "bundle-format/verify.hpp"
#include "tests/support/temp_dir.hpp"

namespace airgap::bundle::testing {

using TempDirectory = test::TempDir;

std::string file_text(const std::string& path);
void write_file(const std::string& path, std::string_view text);
/// Every file below `path`, by relative name, with its bytes.
std::map<std::string, std::string> tree_of(const std::string& path);

/// Bytes that no other `seed` gives.
std::string noise(std::size_t size, unsigned seed);

struct ImageSpec {
  std::string name;                                     ///< "example.com/app:1"
  std::vector<std::string> layers;                      ///< their bytes
  hash::Algorithm algorithm = hash::Algorithm::sha256;  ///< of the layers' digests
};

/// Contents, and the bytes of their configs and layers.
struct Sample {
  Contents contents;
  std::map<hash::Digest, std::string> bytes;

  std::vector<Blob> fetched() const;  ///< configs and layers, in archive order
  const Blob& blob_of(const std::string& text) const;
  transport::BlobOpener opener(const Blob& blob) const;
};
Sample sample(const std::vector<ImageSpec>& images, std::uint64_t sequence = 1);
/// Of a layer that both have, one of 700'000 and one of 90'000 bytes.
Sample two_images(std::uint64_t sequence = 1);

/// Gives `bytes` from the offset asked for, but fails after `limit` bytes of each opening; remembers the
/// offsets.
class FaultyBlob {
 public:
  explicit FaultyBlob(std::string bytes, std::size_t limit = std::string::npos)
      : m_bytes(std::move(bytes)), m_limit(limit) {}
  transport::BlobOpener opener();
  const std::vector<std::uint64_t>& offsets() const { return m_offsets; }

 private:
  std::string m_bytes;
  std::size_t m_limit;
  std::vector<std::uint64_t> m_offsets;
};

/// Counts what an observer is told.
class Tally : public transport::Observer {
 public:
  void blob_started(const hash::Digest&, std::uint64_t, std::uint64_t already) override;
  void blob_progress(const hash::Digest&, std::uint64_t moved) override;
  void blob_restarted(const hash::Digest&, std::uint64_t lost) override;
  void blob_finished(const hash::Digest&, std::uint64_t, std::string_view outcome) override;

  std::uint64_t already = 0;
  std::uint64_t moved = 0;
  std::uint64_t lost = 0;
  std::map<std::string, int> outcomes;

 private:
  std::mutex m_mutex;
};

/// begin(), every blob that is not there, commit(). Returns how many blobs were put.
std::size_t write_all(BundleWriter& writer, const Sample& sample, std::size_t jobs = 1);
std::size_t write_bundle(const std::string& path, const Sample& sample, std::size_t jobs = 1);

/// The first finding of verify, or nothing.
std::string fault_of(const std::string& path);

}  // namespace airgap::bundle::testing
