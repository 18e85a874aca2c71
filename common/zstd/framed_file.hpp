#pragma once

#include <memory>

#include "common/io/file.hpp"
#include "common/io/stream.hpp"
#include "common/zstd/frame.hpp"

namespace airgap::zstd {

/// What the frames of a file hold, at any offset. Thread-safe.
class FramedFile {
 public:
  FramedFile(std::shared_ptr<const io::File> file, const std::vector<Frame>& frames)
      : m_file(std::move(file)), m_frames(std::make_shared<const FrameTable>(frames)) {}

  std::uint64_t size() const noexcept { return m_frames->content_size(); }  ///< of the content
  const FrameTable& frames() const noexcept { return *m_frames; }

  /// The content from `offset` on, `length` bytes or what there is of them. A read() stays inside one frame,
  /// and gives the last bytes of a frame only when its check sum is right. Throws IntegrityError for a frame
  /// that is damaged, or has another form or length than its table says.
  std::unique_ptr<io::Source> open(std::uint64_t offset, std::uint64_t length) const;

 private:
  std::shared_ptr<const io::File> m_file;
  std::shared_ptr<const FrameTable> m_frames;
};

}  // namespace airgap::zstd
