#include "bundle-format/archive/tar_bytes.hpp"

#include <algorithm>
#include <vector>

#include "bundle-format/archive/packed_file.hpp"
#include "bundle-format/compressed/compressed_tar.hpp"
#include "bundle-format/open_following.hpp"
#include "common/diag/error.hpp"
#include "common/text/escape.hpp"
#include "common/zstd/seek_table.hpp"

namespace airgap::bundle {
namespace {

class PlainTar final : public TarBytes {
 public:
  explicit PlainTar(std::shared_ptr<const io::File> file) : m_file(std::move(file)) {}
  std::uint64_t size() const override { return m_file->size(); }
  std::unique_ptr<io::Source> open(std::uint64_t offset, std::uint64_t length) const override {
    return std::make_unique<io::FileRangeSource>(m_file, offset, length);
  }
  std::string form() const override { return "archive"; }

 private:
  std::shared_ptr<const io::File> m_file;
};

}  // namespace

std::shared_ptr<const TarBytes> plain_tar(std::shared_ptr<const io::File> file) {
  return std::make_shared<PlainTar>(std::move(file));
}

std::shared_ptr<const TarBytes> open_tar(const std::string& path) {
  auto file = open_following(path);
  if (is_packed(*file))
    throw diag::UsageError(
        text::escape(path) + " is compressed as a whole, so it can only be read from its front to its end",
        "'airgap-import push' takes it as it is; for anything else unpack it first: gunzip, or zstd -d");
  if (zstd::looks_framed(*file)) return compressed::compressed_tar(std::move(file));
  return plain_tar(std::move(file));
}

std::string read_text(const TarBytes& tar, std::uint64_t offset, std::uint64_t length) {
  const auto source = tar.open(offset, length);
  std::string text;
  std::vector<std::byte> buffer(std::max<std::size_t>(
      static_cast<std::size_t>(std::min<std::uint64_t>(length, io::k_pump_buffer)), io::k_min_read));
  while (const std::size_t count = source->read(buffer)) text += io::text_of(std::span(buffer).first(count));
  return text;
}

}  // namespace airgap::bundle
