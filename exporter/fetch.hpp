#pragma once

#include <map>
#include <stop_token>
#include <string>
#include <vector>

#include "bundle-format/bundle_writer.hpp"
#include "common/registry/registry_client.hpp"
#include "common/transport/observer.hpp"
#include "exporter/plan/plan.hpp"

namespace airgap::exporter {

struct FetchOptions {
  std::size_t jobs = 6;
  bool keep_going = false;
  bool one_large_at_a_time = false;  ///< FetchOrder
  std::stop_token stop;
};

/// What did not arrive.
struct FetchReport {
  std::map<hash::Digest, diag::Error> failed;  ///< only with keep_going
};

/// Fetches every blob of the plan into the writer, several at once, started in archive order. Throws the
/// first failure unless keep_going; a full or failing medium (StorageError) always ends it.
FetchReport fetch(const ExportPlan& plan, registry::RegistryClient& client, bundle::BundleWriter& writer,
                  transport::Observer& observer, const FetchOptions& options);

}  // namespace airgap::exporter
