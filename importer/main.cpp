#include "bundle-format/commands/commands.hpp"
#include "common/cli/app.hpp"
#include "importer/commands/commands.hpp"

int main(int argc, char** argv) {
  airgap::cli::App app("airgap-import", "Bring a bundle of container images into a registry");
  airgap::importer::add_push(app);
  airgap::importer::add_receipt(app);
  airgap::bundle::add_list(app);
  airgap::bundle::add_verify(app);
  return app.run(argc, argv);
}
