#include "common/upload_records/record_folder.hpp"

#include <doctest/doctest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <chrono>
#include <filesystem>
#include <string>

#include "common/hash/hasher.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/temp_dir.hpp"

namespace airgap::upload_records {
namespace {

namespace fs = std::filesystem;

const registry::UploadKey k_key{"https://reg.example", "team/app", hash::sha256_of("x"), 1000};
const registry::UploadState k_state{"https://reg.example/up/1?secret", 600, 0};

struct Folder {
  test::TempDir directory;
  test::FakeClock clock;
  std::string path = directory.path("state/airgap/uploads");
  RecordFolder records{path, clock};

  std::size_t files() const {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(path), fs::directory_iterator()));
  }
  fs::path record() const {
    for (const auto& entry : fs::directory_iterator(path)) {
      if (entry.path().extension() == ".json") return entry.path();
    }
    return {};
  }
  static mode_t mode(const fs::path& path) {
    struct stat status {};
    REQUIRE(::stat(path.c_str(), &status) == 0);
    return status.st_mode & 0777U;
  }
};

TEST_CASE("what is kept is there for the next run, and for nobody else's eyes") {
  Folder f;
  f.records.claim(k_key)->keep(k_state);
  CHECK(Folder::mode(f.path) == 0700);
  CHECK(Folder::mode(f.record()) == 0600);
  const auto again = RecordFolder(f.path, f.clock).claim(k_key);
  CHECK(again->left() == k_state);
  again->keep({"https://reg.example/up/2", 700, 0});
  CHECK(f.files() == 2);  // and the lock
}

TEST_CASE("what is forgotten leaves no file") {
  Folder f;
  auto record = f.records.claim(k_key);
  record->keep(k_state);
  record->forget();
  record.reset();
  CHECK(f.files() == 0);
  CHECK(!f.records.claim(k_key)->left());
}

TEST_CASE("a record is one run's at a time") {
  Folder f;
  auto first = f.records.claim(k_key);
  CHECK(f.records.claim(k_key) == nullptr);
  CHECK(RecordFolder(f.path, f.clock).claim(k_key) == nullptr);
  registry::UploadKey other = k_key;
  other.repository = "team/other";
  CHECK(f.records.claim(other) != nullptr);
  first.reset();
  CHECK(f.records.claim(k_key) != nullptr);
}

TEST_CASE("records that are damaged, too large or no files are none, and are replaced") {
  Folder f;
  f.records.claim(k_key)->keep(k_state);
  const fs::path record = f.record();
  const auto none_and_replaced = [&] {
    CHECK(!f.records.claim(k_key)->left());
    f.records.claim(k_key)->keep(k_state);
    CHECK(f.records.claim(k_key)->left() == k_state);
  };
  f.directory.write("state/airgap/uploads/" + record.filename().string(), "garbage");
  none_and_replaced();
  fs::resize_file(record, std::uintmax_t{1} << 40);
  none_and_replaced();
  const std::string elsewhere = f.directory.write("elsewhere", "mine");
  fs::remove(record);
  fs::create_symlink(elsewhere, record);
  none_and_replaced();
  CHECK(fs::file_size(elsewhere) == 4);
}

TEST_CASE("old records go when a run begins to keep some; young ones and other files stay") {
  Folder f;
  f.records.claim(k_key)->keep(k_state);
  registry::UploadKey other = k_key;
  other.repository = "team/other";
  f.records.claim(other)->keep(k_state);
  f.directory.write("state/airgap/uploads/note", "of somebody");
  const auto now = fs::file_time_type::clock::now();
  for (const auto& entry : fs::directory_iterator(f.path)) fs::last_write_time(entry.path(), now);
  f.clock.advance(
      std::chrono::duration_cast<task::Clock::Duration>(std::chrono::system_clock::now() - f.clock.wall()));
  const fs::path old = f.record();
  for (const auto& entry : fs::directory_iterator(f.path)) {
    const bool of_old = entry.path().stem() == old.stem() || entry.path().filename() == "note";
    if (of_old) fs::last_write_time(entry.path(), now - std::chrono::hours(24 * 8));
  }
  registry::UploadKey third = k_key;
  third.repository = "team/third";
  const auto claimed = RecordFolder(f.path, f.clock).claim(third);
  CHECK(!fs::exists(old));
  CHECK(f.files() == 4);  // a record and its lock, a lock, the note
}

TEST_CASE("where nothing can be kept a push goes on without") {
  Folder f;
  const std::string file = f.directory.write("file", "x");
  CHECK(RecordFolder("", f.clock).claim(k_key) == nullptr);
  CHECK(RecordFolder(file + "/uploads", f.clock).claim(k_key) == nullptr);
  CHECK(RecordFolder("/proc/self/uploads", f.clock).claim(k_key) == nullptr);
  const auto record = f.records.claim(k_key);
  record->keep({"https://reg.example/" + std::string(1 << 20, 'x'), 1, 0});
  CHECK(f.files() == 1);  // the lock
}

TEST_CASE("records are below the directory for state, or the home directory") {
  ::setenv("XDG_STATE_HOME", "/state", 1);
  CHECK(usual_folder() == "/state/airgap/uploads");
  ::setenv("XDG_STATE_HOME", "relative", 1);
  ::setenv("HOME", "/home/me", 1);
  CHECK(usual_folder() == "/home/me/.local/state/airgap/uploads");
  ::unsetenv("HOME");
  CHECK(usual_folder().empty());
}

}  // namespace
}  // namespace airgap::upload_records
