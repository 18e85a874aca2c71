#pragma once

#include <map>
#include <string>
#include <vector>

#include "common/cli/registry_access.hpp"
#include "common/cli/reported_run.hpp"
#include "exporter/resolve/resolve.hpp"
#include "exporter/select/select.hpp"

namespace airgap::exporter {

/// What the commands that read images from registries have in common.
struct SourceSettings {
  SelectOptions select;
  cli::RegistryAccessOptions access;
  bool referrers = true;
  bool allow_empty = false;
  bool allow_unused_map = false;
  bool none_is_fine = false;  ///< with allow_empty: there may be no image at all
  bool keep_going = false;
};

/// select -> expand -> resolve: how pull, plan and mirror begin. Holds the registry client that the later
/// stages read from. Settings, context and run are borrowed.
class SourceImages {
 public:
  /// Selects; asks no registry yet. Throws as select() does, and what RegistryAccess throws.
  SourceImages(const SourceSettings& settings, cli::Context& context, cli::ReportedRun& run);

  registry::RegistryClient& client() { return m_access.client(); }
  http::Client& http() { return m_access.http(); }  ///< for what lies beside registries
  http::OriginLookup origins() const { return m_access.origins(); }
  const Selection& selection() const noexcept { return m_selection; }

  /// Lists tags and pins every image; to be called once. Images that fail under keep_going stand in the
  /// report; throws the first failure when no image is left. What an operator should know is said, and
  /// notes_of() has it for the report.
  PinnedImages pin(const KnownImages& known);
  /// Refuses a --map that is for none of these images. What failed, or may be empty, may be meant.
  void check_maps(const image::Mapping& names, const std::vector<image::Reference>& images) const;
  /// Something more that an operator should know: said, and noted.
  void note(const image::Reference& name, const std::string& text);
  const std::vector<std::string>& notes_of(const image::Reference& name) const;

 private:
  void expand_repositories(TagLists& tags);
  void report_failed(const std::vector<FailedImage>& failed);
  void note(const PinnedImages& pinned);

  const SourceSettings& m_settings;
  cli::Context& m_context;
  cli::ReportedRun& m_run;
  Selection m_selection;
  cli::RegistryAccess m_access;
  std::map<image::Reference, std::vector<std::string>> m_notes;
};

}  // namespace airgap::exporter
