#include "common/transport/observer.hpp"

namespace airgap::transport {
namespace {

class NoObserver : public Observer {
 public:
  void blob_started(const hash::Digest&, std::uint64_t, std::uint64_t) override {}
  void blob_progress(const hash::Digest&, std::uint64_t) override {}
  void blob_restarted(const hash::Digest&, std::uint64_t) override {}
  void blob_finished(const hash::Digest&, std::uint64_t, std::string_view) override {}
};

}  // namespace

void Observer::blob_rejected(const hash::Digest&, std::string_view) {}

Observer& no_observer() {
  static NoObserver observer;
  return observer;
}

}  // namespace airgap::transport
