#include "importer/blob_push.hpp"

#include "common/hash/verifying_source.hpp"

namespace airgap::importer {
namespace {

void upload(const BlobStep& step, const registry::Repository& to, const transport::BlobOpener& open,
            registry::RegistryClient& client, transport::Observer& observer) {
  client.upload_blob(to, step.blob, open, [&](std::int64_t count) {
    if (count >= 0) {
      observer.blob_progress(step.blob.digest, static_cast<std::uint64_t>(count));
    } else {
      observer.blob_restarted(step.blob.digest, static_cast<std::uint64_t>(-count));
    }
  });
}

// Wrong bytes are the bundle's fault here, not the registry's.
void upload_from_bundle(const BlobStep& step, const registry::Repository& to,
                        const transport::BlobOpener& open, registry::RegistryClient& client,
                        transport::Observer& observer) {
  try {
    upload(step, to, open, client, observer);
  } catch (hash::DigestMismatch& error) {
    error.add_context("reading the bundle");
    error.set_hint(
        "the bundle is damaged: 'verify' lists all that is wrong with it and the images that it touches; "
        "copy it again");
    throw;
  }
}

}  // namespace

void push_blob(const BlobStep& step, const transport::BlobOpener& open, bool once,
               registry::RegistryClient& client, transport::Observer& observer, const ForRepository& each) {
  observer.blob_started(step.blob.digest, step.blob.size, 0);
  std::optional<registry::Repository> from = step.from;
  bool sent = false;
  bool placed = false;
  const auto place = [&](const registry::Repository& to) {
    if (from && client.mount_blob(to, step.blob.digest, *from)) return;
    if (from && once) {
      // The pipe has passed by: the bytes come back from where they are now.
      upload(
          step, to, [&](std::uint64_t offset) { return client.open_blob(*from, step.blob, offset); }, client,
          observer);
    } else {
      upload_from_bundle(step, to, open, client, observer);
    }
    sent = true;
    from = to;
  };
  for (const registry::Repository& to : step.missing) {
    each(to, [&] {
      place(to);
      placed = true;
    });
  }
  if (placed) observer.blob_finished(step.blob.digest, step.blob.size, sent ? "pushed" : "mounted");
}

}  // namespace airgap::importer
