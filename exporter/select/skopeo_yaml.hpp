#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "exporter/select/selection.hpp"

namespace airgap::exporter {

/// What a file in the YAML of `skopeo sync` asks for.
struct SkopeoYaml {
  std::vector<Wanted> images;
  std::vector<WantedTags> repositories;
  cli::SettingsOfRegistries settings;
  PlatformRules platforms;
  TargetRules targets;
};

/// Whether a list is YAML rather than a name a line: its first line has a key, opens a map or begins a
/// document.
bool looks_like_yaml(std::string_view text);

/// registry host -> images, images-by-tag-regex, images-by-semver, credentials, tls-verify, cert-dir; and,
/// beyond skopeo, exclude, newest, platforms, targets. What skopeo passes over is an error: unknown keys, bad
/// names, patterns and constraints, a tag beside a digest, a registry without images. Throws UsageError with
/// file:line:column, never with a secret.
SkopeoYaml parse_skopeo_yaml(std::string_view text, const std::string& file);

}  // namespace airgap::exporter
