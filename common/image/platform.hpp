#pragma once

#include <compare>
#include <string>
#include <string_view>
#include <vector>

namespace airgap::image {

/// What an image runs on. As a registry says it, so any field may be empty or odd; normalized() for
/// comparing.
struct Platform {
  std::string os{};
  std::string architecture{};
  std::string variant{};
  std::string os_version{};
  std::vector<std::string> os_features{};

  /// "os/architecture[/variant]", normalised. Throws FormatError.
  static Platform parse(std::string_view text);
  std::string str() const;  ///< "linux/arm64/v8", safe to print; "unknown" without anything
  /// As containerd does it: aarch64 is arm64, x86_64 is amd64, arm64/v8 is arm64, arm is arm/v7.
  Platform normalized() const;

  friend auto operator<=>(const Platform&, const Platform&) = default;
};

/// Linux on the architecture that this process runs on.
Platform host_platform();

/// The platforms that are wanted.
struct PlatformFilter {
  bool all = false;
  std::vector<Platform> platforms{};  ///< normalised, without repeats; not looked at when `all`

  /// "all" or "linux/amd64,linux/arm64". Throws FormatError.
  static PlatformFilter parse(std::string_view text);
  static PlatformFilter host() { return {.all = false, .platforms = {host_platform()}}; }
  std::string str() const;

  /// Operating system, architecture and variant are equal once both are normalised.
  bool matches(const Platform& platform) const;

  friend bool operator==(const PlatformFilter&, const PlatformFilter&) = default;
};

}  // namespace airgap::image
