#pragma once

#include <stdlib.h>
#include <unistd.h>

#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "common/hash/crc32.hpp"
#include "common/io/file.hpp"
#include "common/zstd/check_table.hpp"
#include "common/zstd/frame_compressor.hpp"
#include "common/zstd/seek_table.hpp"

namespace airgap::zstd::testing {

inline std::string noise(std::size_t size, unsigned seed) {
  std::mt19937 random(seed);
  std::string text(size, '\0');
  for (char& c : text) c = static_cast<char>(random());
  return text;
}

/// A file without a name that holds `bytes`.
inline std::shared_ptr<const io::File> file_of(std::string_view bytes) {
  std::string name = "/tmp/airgap-zstd-XXXXXX";
  const int fd = ::mkstemp(name.data());
  if (fd < 0) throw std::runtime_error("no temporary file");
  ::unlink(name.c_str());
  auto file = std::make_shared<const io::File>(fd, "the file");
  file->write_at(0, io::bytes_of(bytes));
  return file;
}

/// The same frames, as far as they are known without a check table.
inline std::vector<Frame> unchecked(std::vector<Frame> frames) {
  for (Frame& frame : frames) frame.check.reset();
  return frames;
}

/// Frames of these contents, one after another.
struct Framed {
  std::vector<Frame> frames;
  std::string bytes;
  std::string content;

  std::string with_table() const { return bytes + seek_table(frames); }
  std::string with_tables() const { return bytes + check_table(frames) + seek_table(frames); }
};

inline Framed framed(const std::vector<std::string>& contents) {
  Framed result;
  FrameCompressor compressor;
  for (const std::string& content : contents) {
    const auto frame = compressor.compress(io::bytes_of(content), Effort::normal);
    result.bytes += io::text_of(frame);
    result.content += content;
    result.frames.push_back({static_cast<std::uint32_t>(frame.size()),
                             static_cast<std::uint32_t>(content.size()), hash::crc32(0, frame)});
  }
  return result;
}

inline std::string rest_of(io::Source& source) {
  std::string text;
  std::vector<std::byte> buffer(io::k_min_read);
  while (const std::size_t count = source.read(buffer)) text += io::text_of(std::span(buffer).first(count));
  return text;
}

}  // namespace airgap::zstd::testing
