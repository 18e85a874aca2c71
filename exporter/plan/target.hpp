#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "bundle-format/bundle_writer.hpp"
#include "bundle-format/other_form.hpp"
#include "common/io/medium.hpp"
#include "exporter/plan/plan.hpp"

namespace airgap::exporter {

/// Bytes between two bounds: how far compression goes nobody knows before.
struct Estimate {
  std::uint64_t least = 0;
  std::uint64_t most = 0;

  bool is_exact() const noexcept { return least == most; }
};

/// Where the bytes of a plan are to go. A plain value.
struct Target {
  std::string path;  ///< as given; empty where there is no medium: a mere count of volumes, a pipe
  bundle::OutputForm form = bundle::OutputForm::directory;
  std::optional<std::uint64_t> volume_size{};  ///< in bytes: an archive in volumes of at most so many
  std::size_t volumes_there = 0;               ///< of a finished set
  io::Medium medium;
  bool replaces = false;      ///< an archive with another plan, which stays until the new one is written
  std::uint64_t doubled = 0;  ///< bytes at most that lie there twice for a while
  /// BundlePlace::occupied_bytes(); none where nothing is there.
  std::function<std::uint64_t(const bundle::Contents&, std::uint64_t length)> occupied{};
  std::optional<bundle::OtherForm> unused{};  ///< what is passed over there

  Estimate archive{};  ///< all of it; 0 in other forms, and when nothing changes but in a count of volumes
  std::size_t volumes =
      0;  ///< that it takes, or that are there when nothing changes; 0 where it is not written in volumes
  std::uint64_t largest = 0;  ///< bytes of the largest file that is written, at most
  Estimate needed{};          ///< of the free space, small files rounded up to what they occupy
};

/// Fills in what the plan needs there. Pure.
Target with_needs(Target target, const ExportPlan& plan);

/// "vfat, removable, 28.9 GiB of 29.3 GiB free, files up to 4 GiB - 1": what a plan says about it.
std::string describe(const io::Medium& medium);

/// "b.tar.partial and 2 more", safe to print.
std::string files_of(const bundle::LeftFiles& left);

/// Whether an archive is to be written in volumes, since the medium's file system takes no file of its
/// length.
bool must_be_cut(const Target& target);

/// Refuses what cannot work, before the first byte (promise 5). Pure. Throws StorageError whose hint names
/// what would make it work.
void check_target(const ExportPlan& plan, const Target& target);

/// What a person wants to know before: a compressed archive that fits only if it shrinks, say, or what lies
/// there and is of no use. Pure.
std::vector<std::string> doubts(const Target& target);

}  // namespace airgap::exporter
