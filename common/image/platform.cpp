#include "common/image/platform.hpp"

#include <fmt/format.h>
#include <sys/utsname.h>

#include <algorithm>
#include <array>
#include <utility>

#include "common/diag/error.hpp"
#include "common/text/escape.hpp"

namespace airgap::image {
namespace {

constexpr const char* k_hint =
    "a platform looks like linux/amd64 or linux/arm/v7; `all` means every platform";

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return result;
}

bool is_part(std::string_view part) {
  return !part.empty() && std::all_of(part.begin(), part.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '.' || c == '-';
  });
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (true) {
    const std::size_t end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

// Other names for an architecture, and the variant that a name implies.
struct Alias {
  std::string_view name, architecture, variant;
};
constexpr std::array k_aliases{
    Alias{"x86_64", "amd64", ""},  Alias{"x86-64", "amd64", ""},
    Alias{"aarch64", "arm64", ""}, Alias{"i386", "386", ""},
    Alias{"i486", "386", ""},      Alias{"i586", "386", ""},
    Alias{"i686", "386", ""},      Alias{"armhf", "arm", "v7"},
    Alias{"armv7l", "arm", "v7"},  Alias{"armel", "arm", "v6"},
    Alias{"armv6l", "arm", "v6"},  Alias{"armv5l", "arm", "v5"},
    Alias{"armv8l", "arm", "v7"},  Alias{"loongarch64", "loong64", ""},
};

}  // namespace

Platform Platform::parse(std::string_view text) {
  const std::vector<std::string_view> parts = split(text, '/');
  if (parts.size() < 2 || parts.size() > 3 || !std::all_of(parts.begin(), parts.end(), is_part)) {
    throw diag::FormatError(
        fmt::format("bad platform '{}': expected os/architecture or os/architecture/variant",
                    text::escape(text)),
        k_hint);
  }
  Platform platform{.os = std::string(parts[0]), .architecture = std::string(parts[1])};
  if (parts.size() == 3) platform.variant = parts[2];
  return platform.normalized();
}

std::string Platform::str() const {
  if (os.empty() && architecture.empty()) return "unknown";
  std::string text = os + "/" + architecture;
  if (!variant.empty()) text += "/" + variant;
  return text::escape(text, 80);
}

Platform Platform::normalized() const {
  Platform result = *this;
  result.os = lower(os) == "macos" ? "darwin" : lower(os);
  result.architecture = lower(architecture);
  result.variant = lower(variant);
  for (const auto& [name, architecture_name, implied] : k_aliases) {
    if (result.architecture != name) continue;
    result.architecture = architecture_name;
    if (result.variant.empty()) result.variant = implied;
    break;
  }
  const bool plain_number = result.variant.size() == 1 && result.variant >= "5" && result.variant <= "8";
  if (result.architecture.starts_with("arm") && plain_number) result.variant.insert(0, "v");
  if (result.architecture == "arm64" && result.variant == "v8") result.variant.clear();
  if (result.architecture == "amd64" && result.variant == "v1") result.variant.clear();
  if (result.architecture == "386") result.variant.clear();
  if (result.architecture == "arm" && result.variant.empty()) result.variant = "v7";
  return result;
}

Platform host_platform() {
  utsname names{};
  if (uname(&names) != 0) throw diag::InternalError("uname failed");
  return Platform{.os = "linux", .architecture = names.machine}.normalized();
}

PlatformFilter PlatformFilter::parse(std::string_view text) {
  if (text == "all") return {.all = true};
  PlatformFilter filter;
  for (const std::string_view item : split(text, ',')) {
    if (item == "all") {
      throw diag::FormatError("bad platforms '" + text::escape(text) + "': `all` stands alone", k_hint);
    }
    Platform platform = Platform::parse(item);
    if (!filter.matches(platform)) filter.platforms.push_back(std::move(platform));
  }
  return filter;
}

std::string PlatformFilter::str() const {
  if (all) return "all";
  std::string text;
  for (const Platform& platform : platforms) text += (text.empty() ? "" : ",") + platform.str();
  return text;
}

bool PlatformFilter::matches(const Platform& platform) const {
  const Platform found = platform.normalized();
  return all || std::any_of(platforms.begin(), platforms.end(), [&](const Platform& wanted) {
           return wanted.os == found.os && wanted.architecture == found.architecture &&
                  wanted.variant == found.variant;
         });
}

}  // namespace airgap::image
