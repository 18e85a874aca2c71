#include "bundle-format/pipe/pipe_writer.hpp"

#include "bundle-format/archive/ordered_archive.hpp"
#include "bundle-format/pipe/pipe_sink.hpp"
#include "common/diag/error.hpp"

namespace airgap::bundle {
namespace {

class PipeWriter final : public BundleWriter {
 public:
  PipeWriter(io::File pipe, std::stop_token stop) : m_pipe(std::move(pipe), std::move(stop)) {}

  const std::optional<BundleInfo>& existing() const override { return m_nothing; }
  bool finished() const override { return false; }
  std::optional<std::string> existing_manifest(const hash::Digest&) const override { return std::nullopt; }
  bool has_blob(const Blob&) const override { return false; }
  std::uint64_t partial_bytes(const Blob&) const override { return 0; }

  void begin(Contents contents) override {
    m_plan.emplace(metadata_files(contents), contents.info);
    m_archive.emplace(*m_plan, m_pipe).begin(contents);
  }
  void commit() override {
    if (!m_archive) throw diag::InternalError("a bundle was sealed before it was begun");
    m_archive->finish();
    m_pipe.finish();
  }

 private:
  void store_blob(const Blob& blob, const transport::BlobOpener& open,
                  transport::Observer& observer) override {
    m_archive->put(blob, open, observer);
  }

  PipeSink m_pipe;
  std::optional<BundleInfo> m_nothing;
  std::optional<ArchivePlan> m_plan;
  std::optional<OrderedArchive> m_archive;
};

}  // namespace

std::unique_ptr<BundleWriter> open_pipe_writer(io::File pipe, std::stop_token stop) {
  return std::make_unique<PipeWriter>(std::move(pipe), std::move(stop));
}

}  // namespace airgap::bundle
