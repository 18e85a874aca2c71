#include "bundle-format/skopeo_tree/shared_file.hpp"

#include <memory>
#include <vector>

#include "common/hash/verifying_source.hpp"

namespace airgap::skopeo_tree {
namespace {

constexpr std::size_t k_read = std::size_t{512} * 1024;  // bytes at once

class FileSink : public io::Sink {
 public:
  explicit FileSink(io::File& file) : m_file(file) {}
  void write(std::span<const std::byte> data) override { m_file.write_all(data); }
  void finish() override { m_file.sync(); }

 private:
  io::File& m_file;
};

void copy_blob(const io::Directory& top, const bundle::Blob& blob, const std::string& from,
               const std::string& to, const std::string& temporary) {
  const auto original = std::make_shared<const io::File>(top.open_file(from));
  io::FileRangeSource bytes(original, 0, original->size());
  hash::VerifyingSource verified(bytes, blob.digest, blob.size);
  top.remove_file(temporary);
  io::File copy = top.create_file(temporary);
  FileSink sink(copy);
  io::pump(verified, sink);
  sink.finish();
  copy.close();
  top.rename(temporary, to);
}

}  // namespace

bool links_work(const io::Directory& top, const std::string& in, const std::string& file) {
  const std::string second = in + "/link";
  top.remove_file(second);
  const bool works = top.hard_link(in + "/" + file, second);
  top.remove_file(second);
  return works;
}

void prove_blob(const io::Directory& top, const bundle::Blob& blob, const std::string& path) {
  const auto file = std::make_shared<const io::File>(top.open_file(path));
  io::FileRangeSource bytes(file, 0, file->size());
  hash::VerifyingSource verified(bytes, blob.digest, blob.size);
  std::vector<std::byte> buffer(k_read);
  while (verified.read(buffer) != 0) continue;
}

void share_blob(const io::Directory& top, const bundle::Blob& blob, const std::string& from,
                const std::string& to, bool links, const std::string& temporary) {
  if (links) {
    top.remove_file(to);
    if (top.hard_link(from, to)) return;  // a file has a most number of names
  }
  copy_blob(top, blob, from, to, temporary);
}

}  // namespace airgap::skopeo_tree
