#include "common/delivery/blob_push.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "common/delivery/watched_sender.hpp"
#include "common/diag/touching.hpp"
#include "common/hash/verifying_source.hpp"

namespace airgap::delivery {

void BlobPush::push(const BlobStep& step, const transport::BlobOpener& open, bool once) {
  std::optional<registry::Repository> from = step.from;
  bool sent = false;
  bool placed = false;
  std::optional<diag::Error> damage;  // of the bytes
  WatchedSender sender(open);
  // A pipe says by itself what its damage touches.
  const transport::BlobOpener watched =
      once ? open : [&](std::uint64_t offset) { return sender.open(offset); };
  const auto place = [&](const registry::Repository& to) {
    if (damage) throw diag::Error(*damage);
    if (from && m_client.mount_blob(to, step.blob.digest, *from)) return;
    if (from && once) {
      // The pipe has passed by: the bytes come back from where they are now.
      const auto back = [&](std::uint64_t offset) { return m_client.open_blob(*from, step.blob, offset); };
      upload(step, to, back, transport::Reread::always);
    } else {
      try {
        upload(step, to, watched, once ? transport::Reread::beginning : transport::Reread::always);
      } catch (diag::Error& error) {
        const bool mismatch = dynamic_cast<const hash::DigestMismatch*>(&error) != nullptr;
        if (!mismatch && !sender.failed()) throw;  // the registry's fault, not the sender's
        damage = damage_of(step, error);
        throw diag::Error(*damage);
      }
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
  const char* const outcome = sent ? "pushed" : "mounted";
  m_observer.blob_finished(step.blob.digest, step.blob.size, placed ? outcome : "failed");
}

void BlobPush::upload(const BlobStep& step, const registry::Repository& to, const transport::BlobOpener& open,
                      transport::Reread reread) {
  // Said late, for only the registry knows how much is there.
  bool started = false;
  const auto start = [&](std::uint64_t already) {
    if (!std::exchange(started, true)) m_observer.blob_started(step.blob.digest, step.blob.size, already);
  };
  const auto sent = [&](std::int64_t count) {
    start(0);
    if (count >= 0) {
      m_observer.blob_progress(step.blob.digest, static_cast<std::uint64_t>(count));
    } else {
      m_observer.blob_restarted(step.blob.digest, static_cast<std::uint64_t>(-count));
    }
  };
  m_client.upload_blob(to, step.blob, open, {.sent = sent, .found = start}, reread);
}

diag::Error BlobPush::damage_of(const BlobStep& step, diag::Error& error) const {
  error.add_context("reading " + m_sender.name);
  const bool wrong = error.kind() == diag::ErrorKind::integrity;
  if (wrong || error.hint().empty())
    error.set_hint(wrong ? m_sender.when_corrupted : m_sender.when_unreadable);
  return diag::touching_as_it_is(error, names_of(step));
}

std::vector<std::size_t> BlobPush::images_in(const BlobStep& step,
                                             const registry::Repository& repository) const {
  std::vector<std::size_t> images;
  std::copy_if(step.images.begin(), step.images.end(), std::back_inserter(images),
               [&](std::size_t image) { return m_plan.placements[image].repository == repository; });
  return images;
}

std::vector<std::string> BlobPush::names_of(const BlobStep& step) const {
  std::vector<std::string> names;
  for (const std::size_t image : step.images) names.push_back(m_plan.placements[image].name.str());
  return names;
}

}  // namespace airgap::delivery
