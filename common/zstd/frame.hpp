#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

// Frames of one form only: a single segment that states its length, ends with a check sum and holds at most
// k_max_content bytes. So their first bytes follow from the length of their content, and a decoder needs no
// larger window than that.
namespace airgap::zstd {

/// Content of a frame in bytes: the window that level 3 has anyway, so that a frame loses little by its end.
inline constexpr std::size_t k_max_content = std::size_t{2} << 20;
inline constexpr std::uint32_t k_frame_magic = 0xFD2FB528;

/// How many bytes a frame takes, and how many it holds.
struct Frame {
  std::uint32_t stored = 0;
  std::uint32_t content = 0;
  std::optional<std::uint32_t>
      check{};  ///< CRC-32 of what it takes, as it lies in the file; where it is known

  friend bool operator==(const Frame&, const Frame&) = default;
};

/// The first bytes of a frame: magic, descriptor, length of the content (RFC 8878, 3.1.1).
std::string frame_header(std::uint32_t content);
/// The length that such a header states; nothing for any other bytes. `front` may be longer than the header.
std::optional<std::uint32_t> content_of_header(std::span<const std::byte> front);

inline constexpr std::size_t k_max_frame_header = 9;  ///< bytes

/// What a frame of so much content takes where nothing in it can be compressed: no frame takes more.
std::uint64_t stored_at_most(std::uint32_t content);

/// Frames that follow each other from the start of a file, by what they hold. A plain value.
class FrameTable {
 public:
  explicit FrameTable(const std::vector<Frame>& frames);

  struct Place {
    std::uint64_t stored_at = 0;   ///< in the file
    std::uint64_t content_at = 0;  ///< in all that the frames hold
    Frame frame;
  };
  std::size_t count() const noexcept { return m_starts.size() - 1; }
  Place operator[](std::size_t index) const;
  std::size_t index_at(std::uint64_t content_at) const;  ///< of the frame that holds this byte; it is there
  std::uint64_t content_size() const noexcept { return m_starts.back().content_at; }
  std::uint64_t stored_size() const noexcept { return m_starts.back().stored_at; }

 private:
  struct Start {
    std::uint64_t stored_at = 0;
    std::uint64_t content_at = 0;
  };
  std::vector<Start> m_starts;          ///< one a frame, and the end
  std::vector<std::uint32_t> m_checks;  ///< one a frame, or none at all
};

}  // namespace airgap::zstd
