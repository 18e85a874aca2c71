#pragma once

#include <memory>
#include <string>

#include "common/io/directory.hpp"
#include "common/registry/kept_uploads.hpp"
#include "common/task/clock.hpp"
#include "common/task/guarded.hpp"

namespace airgap::upload_records {

/// $XDG_STATE_HOME/airgap/uploads, or below ~/.local/state; empty where neither is an absolute path.
std::string usual_folder();

/// Uploads under way as files in one folder of the user's, a record each. The folder is made, and rid of old
/// records, when the first one is claimed. Where it cannot be written nothing is kept, with one line at level
/// debug.
class RecordFolder : public registry::KeptUploads {
 public:
  /// The clock is borrowed.
  RecordFolder(std::string path, task::Clock& clock);
  std::unique_ptr<registry::KeptUpload> claim(const registry::UploadKey& key) noexcept override;

 private:
  struct State {
    bool asked = false;
    std::shared_ptr<const io::Directory> folder;  // null where there is none
  };
  std::shared_ptr<const io::Directory> folder();

  std::string m_path;
  task::Clock& m_clock;
  task::Guarded<State> m_state;
};

}  // namespace airgap::upload_records
