#include "exporter/medium_proof.hpp"

#include <doctest/doctest.h>

using namespace airgap;

TEST_CASE("only what can be taken away is called safe to remove, and only where there is a medium") {
  io::Medium stick;
  stick.file_system = "vfat";
  stick.removable = true;
  io::Medium unknown;
  unknown.file_system = "stick";
  io::Medium disk;
  disk.file_system = "ext4";
  disk.built_in = true;
  CHECK(exporter::proven_of(stick) == "the medium is safe to remove");
  CHECK(exporter::proven_of(unknown) == "the medium is safe to remove");
  CHECK(exporter::proven_of(disk) == "the medium holds what was written");
  for (const char* in_memory : {"tmpfs", "ramfs"}) {
    io::Medium memory;
    memory.file_system = in_memory;
    CHECK(exporter::proven_of(memory) ==
          std::string(in_memory) +
              " keeps files in memory alone, which is what was read: of a medium that proves nothing");
  }
}
