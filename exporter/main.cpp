#include "bundle-format/commands/commands.hpp"
#include "common/cli/app.hpp"
#include "exporter/commands/commands.hpp"

int main(int argc, char** argv) {
  airgap::cli::App app("airgap-export", "Carry container images out of registries into a bundle");
  airgap::exporter::add_pull(app);
  airgap::exporter::add_plan(app);
  airgap::exporter::add_mirror(app);
  airgap::bundle::add_list(app);
  airgap::bundle::add_verify(app);
  return app.run(argc, argv);
}
