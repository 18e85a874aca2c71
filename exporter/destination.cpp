#include "exporter/destination.hpp"

#include <utility>

#include "common/diag/error.hpp"

namespace airgap::exporter {
namespace {

bundle::OutputForm form_of(const ExportSettings& settings) {
  if (settings.output.empty()) return bundle::OutputForm::archive;
  return settings.skopeo_tree ? bundle::tree_form(settings.output) : bundle::output_form(settings.output);
}

}  // namespace

Destination::Destination(const ExportSettings& settings, std::stop_token stop)
    : m_settings(settings),
      m_stop(std::move(stop)),
      m_form(form_of(settings)),
      m_volume_size(settings.volume_size) {
  if (m_volume_size && m_form != bundle::OutputForm::archive) {
    throw diag::UsageError(
        "--volume-size cuts an archive that is not compressed, and " + settings.output + " is none",
        "write to --output FILE.tar: the volumes are FILE.001.tar, FILE.002.tar, …");
  }
  if (settings.prune && !settings.output.empty() &&
      (bundle::is_archive(m_form) || m_form == bundle::OutputForm::pipe)) {
    throw diag::UsageError("--prune is for a directory, and " + settings.output + " is none",
                           "leave it out: an archive holds the selection alone anyway");
  }
  if (settings.verify_media.value_or(bundle::MediaCheck::none) != bundle::MediaCheck::none &&
      !can_be_read_back()) {
    throw diag::UsageError("--verify-media reads back what stays here as a bundle: a directory or an archive",
                           "leave it out, and check with 'airgap-import verify' where the bundle arrives");
  }
}

bool Destination::can_be_read_back() const noexcept {
  return m_form != bundle::OutputForm::pipe && m_form != bundle::OutputForm::skopeo_tree;
}

// Where nothing can be written the plan says whether that is needed at all.
bool Destination::is_write_protected() const {
  const auto medium = bundle::medium_of_output(m_settings.output);
  return medium && medium->read_only;
}

void Destination::open(image::NameMode names) {
  m_place = nullptr;
  m_writer.reset();
  bundle::OutputOptions output{.path = m_settings.output,
                               .overwrite = m_settings.overwrite,
                               .stop = m_stop,
                               .volume_size = m_volume_size};
  if (m_form == bundle::OutputForm::skopeo_tree) {
    output.skopeo_tree = {.scoped = names == image::NameMode::scoped, .prune = m_settings.prune};
  }
  if (m_settings.dry_run || is_write_protected()) {
    m_looked_at =
        m_settings.output.empty() ? std::make_unique<bundle::EmptyPlace>() : bundle::look_at(output);
    m_place = m_looked_at.get();
  } else {
    m_writer = bundle::open_writer(output);
    m_place = m_writer.get();
  }
}

}  // namespace airgap::exporter
