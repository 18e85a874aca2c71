#include "exporter/fetch.hpp"

#include <fmt/format.h>

#include <optional>
#include <utility>

#include "bundle-format/damaged_bundle.hpp"
#include "common/raii/scope_exit.hpp"
#include "common/registry/api_error.hpp"
#include "common/task/for_each.hpp"
#include "common/task/guarded.hpp"
#include "exporter/fetch_order.hpp"

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

// What the registry has cleaned away comes back with none of its runs.
void point_to_whole_image(diag::Error& error, const BlobOrigin& origin) {
  if (!origin.wanted_for) return;
  error.set_hint(fmt::format("it is gone there: pull {} whole, without --since, and push that",
                             origin.wanted_for->str()));
}

/// One run of fetch().
class Fetch {
 public:
  Fetch(const ExportPlan& plan, registry::RegistryClient& client, bundle::BundleWriter& writer,
        transport::Observer& observer, const FetchOptions& options)
      : m_plan(plan), m_client(client), m_writer(writer), m_observer(observer), m_options(options) {}

  FetchReport run() {
    task::for_each_index(m_plan.fetch.size(), m_options.jobs, m_options.stop,
                         [this](std::size_t index) { take_turn(index); });
    return m_report.with([](FetchReport& all) { return std::exchange(all, {}); });
  }

 private:
  void take_turn(std::size_t index) {
    const bundle::Blob& blob = m_plan.fetch[index];
    if (!m_options.one_large_at_a_time) return bring(blob);
    if (!m_order.begin(index, blob.size, m_options.stop)) return;  // whoever gave up has said why
    const raii::ScopeExit end([this] { m_order.end(); });
    try {
      bring(blob);
    } catch (...) {
      m_order.give_up();
      throw;
    }
  }

  void bring(const bundle::Blob& blob) {
    std::optional<bundle::DamagedBundle> damage;  // which has nothing to do with this blob
    try {
      diag::with_context(
          [&] {
            return fmt::format("fetching blob {} of {}", blob.digest.str(),
                               m_plan.origins.at(blob.digest).repository.str());
          },
          [&] {
            try {
              m_writer.put_blob(blob, opener(m_plan, m_client, blob), m_observer);
            } catch (const bundle::DamagedBundle& error) {
              damage = error;
            } catch (registry::NotThere& error) {
              point_to_whole_image(error, m_plan.origins.at(blob.digest));
              throw;
            }
          });
    } catch (const diag::StorageError&) {
      throw;
    } catch (const diag::Interrupted&) {
      throw;
    } catch (const diag::Error& error) {
      if (!m_options.keep_going) throw;
      m_observer.blob_finished(blob.digest, blob.size, "failed");
      m_report.with([&](FetchReport& all) { all.failed.emplace(blob.digest, error); });
    }
    if (damage) throw bundle::DamagedBundle(*damage);
  }

  const ExportPlan& m_plan;
  registry::RegistryClient& m_client;
  bundle::BundleWriter& m_writer;
  transport::Observer& m_observer;
  const FetchOptions& m_options;
  FetchOrder m_order;
  task::Guarded<FetchReport> m_report;
};

}  // namespace

FetchReport fetch(const ExportPlan& plan, registry::RegistryClient& client, bundle::BundleWriter& writer,
                  transport::Observer& observer, const FetchOptions& options) {
  return Fetch(plan, client, writer, observer, options).run();
}

}  // namespace airgap::exporter
