#pragma once

#include "common/delivery/push.hpp"

namespace airgap::delivery {

/// Carries out the blob steps of a plan, one a call: afterwards every repository of the step has the blob,
/// but for those that failed, each for itself; a blob whose bytes are wrong fails for all of them.
/// Thread-safe. All is borrowed.
class BlobPush {
 public:
  BlobPush(const Plan& plan, registry::RegistryClient& client, transport::Observer& observer,
           const Sender& sender, Failures& failures)
      : m_plan(plan), m_client(client), m_observer(observer), m_sender(sender), m_failures(failures) {}

  /// `open` may be called for each repository.
  void from_source(const BlobStep& step, const transport::BlobOpener& open) { push(step, open, false); }
  /// From a pipe, of Reread::beginning: `open` is used until the blob is in one repository; what a registry
  /// will not mount from there is copied within the registry.
  void from_pipe(const BlobStep& step, const transport::BlobOpener& open) { push(step, open, true); }
  /// A blob that the sender does not have.
  void from_registry(const BlobStep& step) { push(step, {}, true); }

 private:
  void push(const BlobStep& step, const transport::BlobOpener& open, bool once);
  void upload(const BlobStep& step, const registry::Repository& to, const transport::BlobOpener& open,
              transport::Reread reread);
  /// What is wrong with the sender's bytes, with the images that it touches.
  diag::Error damage_of(const BlobStep& step, diag::Error& error) const;
  std::vector<std::size_t> images_in(const BlobStep& step, const registry::Repository& repository) const;
  std::vector<std::string> names_of(const BlobStep& step) const;

  const Plan& m_plan;
  registry::RegistryClient& m_client;
  transport::Observer& m_observer;
  const Sender& m_sender;
  Failures& m_failures;
};

}  // namespace airgap::delivery
