#include "common/delivery/blob_push.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "common/hash/verifying_source.hpp"

namespace airgap::delivery {

void BlobPush::push(const BlobStep& step, const transport::BlobOpener& open, bool once) {
  m_observer.blob_started(step.blob.digest, step.blob.size, 0);
  std::optional<registry::Repository> from = step.from;
  bool sent = false;
  bool placed = false;
  const auto place = [&](const registry::Repository& to) {
    if (from && m_client.mount_blob(to, step.blob.digest, *from)) return;
    if (from && once) {
      // The pipe has passed by: the bytes come back from where they are now.
      const auto back = [&](std::uint64_t offset) { return m_client.open_blob(*from, step.blob, offset); };
      upload(step, to, back, transport::Reread::always);
    } else {
      upload_from_sender(step, to, open, once ? transport::Reread::beginning : transport::Reread::always);
    }
    sent = true;
    from = to;
  };
  for (const registry::Repository& to : step.missing) {
    m_failures.push(
        to, [&] { return images_in(step, to); },
        [&] {
          diag::with_context(
              [&] { return fmt::format("pushing blob {} to {}", step.blob.digest.str(), to.str()); },
              [&] { place(to); });
          placed = true;
        });
  }
  if (placed) m_observer.blob_finished(step.blob.digest, step.blob.size, sent ? "pushed" : "mounted");
}

void BlobPush::upload(const BlobStep& step, const registry::Repository& to, const transport::BlobOpener& open,
                      transport::Reread reread) {
  const auto sent = [&](std::int64_t count) {
    if (count >= 0) {
      m_observer.blob_progress(step.blob.digest, static_cast<std::uint64_t>(count));
    } else {
      m_observer.blob_restarted(step.blob.digest, static_cast<std::uint64_t>(-count));
    }
  };
  m_client.upload_blob(to, step.blob, open, sent, reread);
}

// Wrong bytes are the sender's fault here, not the registry's.
void BlobPush::upload_from_sender(const BlobStep& step, const registry::Repository& to,
                                  const transport::BlobOpener& open, transport::Reread reread) {
  try {
    upload(step, to, open, reread);
  } catch (hash::DigestMismatch& error) {
    error.add_context("reading " + m_sender.name);
    error.set_hint(m_sender.when_corrupted);
    throw;
  }
}

std::vector<std::size_t> BlobPush::images_in(const BlobStep& step,
                                             const registry::Repository& repository) const {
  std::vector<std::size_t> images;
  std::copy_if(step.images.begin(), step.images.end(), std::back_inserter(images),
               [&](std::size_t image) { return m_plan.placements[image].repository == repository; });
  return images;
}

}  // namespace airgap::delivery
