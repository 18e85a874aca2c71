#include "bundle-format/compressed/compressed_tar.hpp"

#include "bundle-format/compressed/frame_cuts.hpp"
#include "bundle-format/inspection.hpp"
#include "common/zstd/frame_scan.hpp"
#include "common/zstd/framed_file.hpp"
#include "common/zstd/seek_table.hpp"

namespace airgap::bundle::compressed {
namespace {

class CompressedTar final : public TarBytes {
 public:
  CompressedTar(std::shared_ptr<const io::File> file, const std::vector<zstd::Frame>& frames,
                std::optional<Finding> finding)
      : m_file(std::move(file)), m_content(m_file, frames), m_finding(std::move(finding)) {}

  std::uint64_t size() const override { return m_content.size(); }
  std::unique_ptr<io::Source> open(std::uint64_t offset, std::uint64_t length) const override {
    return m_content.open(offset, length);
  }
  std::string form() const override { return "compressed archive"; }
  std::optional<Finding> finding() const override { return m_finding; }
  bool follows(const ArchivePlan& plan) const override {
    return matching_frames(plan, m_content.frames()) == m_content.frames().count();
  }
  std::shared_ptr<const TarBytes> without_table() const override {
    if (m_finding) return nullptr;
    const std::vector<zstd::Frame> found = zstd::scan_frames(*m_file);
    if (!lies(found)) return nullptr;
    const diag::IntegrityError damage("the seek table is damaged: it is not about the frames that are there",
                                      "copy it again, or export it again");
    return std::make_shared<CompressedTar>(m_file, found, finding_of(damage, std::string(k_archive_end)));
  }

 private:
  /// About one of the frames that are there; one that is damaged ends them.
  bool lies(const std::vector<zstd::Frame>& found) const {
    const zstd::FrameTable& table = m_content.frames();
    for (std::size_t i = 0; i < found.size(); ++i) {
      if (i == table.count() || table[i].frame.stored != found[i].stored ||
          table[i].frame.content != found[i].content)
        return true;
    }
    return false;
  }

  std::shared_ptr<const io::File> m_file;
  zstd::FramedFile m_content;
  std::optional<Finding> m_finding;
};

}  // namespace

std::shared_ptr<const TarBytes> compressed_tar(const std::shared_ptr<const io::File>& file) {
  try {
    return std::make_shared<CompressedTar>(file, zstd::read_seek_table(*file), std::nullopt);
  } catch (const diag::IntegrityError& error) {
    return std::make_shared<CompressedTar>(file, zstd::scan_frames(*file),
                                           finding_of(error, std::string(k_archive_end)));
  }
}

std::shared_ptr<const TarBytes> compressed_tar(const std::shared_ptr<const io::File>& file,
                                               const std::vector<zstd::Frame>& frames) {
  return std::make_shared<CompressedTar>(file, frames, std::nullopt);
}

}  // namespace airgap::bundle::compressed
