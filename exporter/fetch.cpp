#include "exporter/fetch.hpp"

#include <fmt/format.h>

#include <utility>

#include "common/task/for_each.hpp"
#include "common/task/guarded.hpp"

namespace airgap::exporter {
namespace {

transport::BlobOpener opener(const ExportPlan& plan, registry::RegistryClient& client,
                             const bundle::Blob& blob) {
  const auto kept = plan.at_hand.find(blob.digest);
  if (kept != plan.at_hand.end()) {
    return [bytes = kept->second](std::uint64_t offset) {
      return std::make_unique<io::MemorySource>(std::string_view(*bytes).substr(offset));
    };
  }
  return [&client, &origin = plan.origins.at(blob.digest)](std::uint64_t offset) {
    return client.open_blob(origin.repository, origin.descriptor, offset);
  };
}

}  // namespace

FetchReport fetch(const ExportPlan& plan, registry::RegistryClient& client, bundle::BundleWriter& writer,
                  transport::Observer& observer, const FetchOptions& options) {
  task::Guarded<FetchReport> report;
  task::for_each_bounded(std::span(plan.fetch), options.jobs, options.stop, [&](const bundle::Blob& blob) {
    try {
      diag::with_context(
          [&] {
            return fmt::format("fetching blob {} of {}", blob.digest.str(),
                               plan.origins.at(blob.digest).repository.str());
          },
          [&] { writer.put_blob(blob, opener(plan, client, blob), observer); });
    } catch (const diag::StorageError&) {
      throw;
    } catch (const diag::Interrupted&) {
      throw;
    } catch (const diag::Error& error) {
      if (!options.keep_going) throw;
      observer.blob_finished(blob.digest, blob.size, "failed");
      report.with([&](FetchReport& all) { all.failed.emplace(blob.digest, error); });
    }
  });
  return report.with([](FetchReport& all) { return std::exchange(all, {}); });
}

}  // namespace airgap::exporter
