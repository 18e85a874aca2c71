#pragma once

#include <functional>
#include <set>
#include <string>
#include <vector>

#include "common/cli/reported_run.hpp"
#include "common/delivery/placement.hpp"
#include "common/delivery/plan.hpp"
#include "common/delivery/push.hpp"

namespace airgap::delivery {

struct DeliverySettings {
  std::string command;  ///< "push"
  std::string bundle;   ///< as given, for the report; empty where there is none
  std::string target;   ///< REGISTRY[/PREFIX]
  std::size_t jobs = 6;
  bool keep_going = false;
  bool dry_run = false;
  Sender sender;
};

/// Blobs that the sender should have and cannot give.
struct LostBlobs {
  std::set<hash::Digest> blobs;
  /// What to say of some of them that have to be sent, and of the images that need them.
  std::function<diag::Error(const std::vector<hash::Digest>& blobs, const std::vector<std::string>& images)>
      explain{};
  /// Is told what the registry lacks besides, before a push is refused for them: Plan::missing is that alone.
  std::function<void(const Plan& required)> and_required{};
};

/// One run that fills a registry: what comes after the placements are known, and the report of all of it.
class DeliveryRun {
 public:
  /// The context is borrowed.
  DeliveryRun(DeliverySettings settings, cli::Context& context);

  /// Runs `stages` and publishes the report whatever comes of them; what they throw goes on. Returns the exit
  /// status.
  int run(const std::function<void()>& stages);

  cli::ReportedRun& report() noexcept { return m_run; }

  /// Carries out the blob steps, and tells the observer.
  using PushBlobs = std::function<void(transport::Observer&, const PushOptions&, Failures&)>;

  // For the stages, in this order.

  /// An image that did not get as far as a placement.
  void leave_out(const std::string& name, const diag::Error& error);
  /// Asks the registry what is not in `known`, plans and shows the plan. `required` are the blobs that the
  /// sender does not have. Throws when a lost blob has to be sent, or with keep_going leaves out the images
  /// that need it.
  Plan plan(std::vector<Placement> placements, registry::RegistryClient& client,
            const RequiredBlobs& required = {}, KnownTags known = {}, const LostBlobs& lost = {});
  /// push -> confirm, or nothing in a dry run, and records what became of each image. `push_blobs` carries
  /// out the blob steps; `again` as for push_manifests. Returns, beside the placements, which are in place.
  std::vector<bool> execute(const Plan& plan, registry::RegistryClient& client, transport::ImageSource* again,
                            const PushBlobs& push_blobs);

 private:
  void carry_out(const Plan& plan, registry::RegistryClient& client, transport::ImageSource* again,
                 const PushBlobs& push_blobs, Failures& failures);
  Plan without_lost(Plan plan, const RegistryContent& content, const RequiredBlobs& lacking,
                    const LostBlobs& lost);
  void record(const Plan& plan, const Failures& failures, const std::string& outcome_word);

  DeliverySettings m_settings;
  cli::Context& m_context;
  cli::ReportedRun m_run;
  std::size_t m_left_out = 0;
};

}  // namespace airgap::delivery
