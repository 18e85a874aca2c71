#pragma once

#include <doctest/doctest.h>

#include <string>

#include "bundle-format/bundle_reader.hpp"
#include "bundle-format/metadata/layout.hpp"
#include "common/diag/error.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/unit/bundle-format/sample_bundle.hpp"
#include "tests/unit/bundle-format/whole_files.hpp"

namespace airgap::bundle {

/// "integrity: it is missing" for what opening says, or "opened".
inline std::string outcome(const std::string& path) {
  try {
    open_bundle(path);
    return "opened";
  } catch (const diag::IntegrityError& error) {
    return "integrity: " + error.message();
  } catch (const diag::UnsafeError& error) {
    return "unsafe: " + error.message();
  } catch (const diag::UsageError& error) {
    return "usage: " + error.message();
  }
}

#define CHECK_OUTCOME(path, kind, words)                        \
  do {                                                          \
    const std::string said = outcome(path);                     \
    CHECK_MESSAGE(said.starts_with(kind ": "), said);           \
    CHECK_MESSAGE(said.find(words) != std::string::npos, said); \
  } while (false)

/// The sample as a directory and as an archive.
struct Forms {
  test::TempDir scratch;
  Sample sample;
  std::string directory = scratch.path("bundle");
  std::string archive = scratch.path("bundle.tar");

  explicit Forms(Sha512 with = Sha512::none) : sample(make_sample(with)) {
    write_directory(files_of(sample), directory);
    write_file(archive, archive_of(sample));
  }
  std::string blob(const std::string& what) const { return directory + "/" + blob_path(sample[what]); }
};

}  // namespace airgap::bundle
