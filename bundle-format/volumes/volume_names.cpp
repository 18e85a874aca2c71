#include "bundle-format/volumes/volume_names.hpp"

#include <fmt/format.h>

#include <charconv>
#include <filesystem>

#include "bundle-format/metadata/layout.hpp"
#include "bundle-format/volumes/volume_json.hpp"

namespace airgap::bundle {
namespace {

constexpr std::size_t k_digits = 3;
constexpr std::string_view k_replaced = ".replaced-";

std::optional<std::size_t> number_in(std::string_view text) {
  std::size_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number == 0) return std::nullopt;
  return number;
}

}  // namespace

VolumeNames::VolumeNames(std::string_view archive)
    : m_stem(archive.substr(0, archive.size() - k_archive_ending.size())) {}

std::string VolumeNames::volume(std::size_t number) const {
  return fmt::format("{}.{:0{}}{}", m_stem, number, k_digits, k_archive_ending);
}

std::string VolumeNames::partial(std::size_t number) const {
  return volume(number) + std::string(k_partial_ending);
}

std::string VolumeNames::lock() const {
  return m_stem + std::string(k_volumes_ending);
}

std::string VolumeNames::replaced(std::size_t number, std::size_t generation) const {
  return fmt::format("{}{}{}", volume(number), k_replaced, generation);
}

std::optional<VolumeNames::Parsed> VolumeNames::parse(std::string_view file) const {
  if (file.size() < m_stem.size() + 1 + k_digits || !file.starts_with(m_stem)) return std::nullopt;
  const auto number = number_in(file.substr(m_stem.size() + 1, k_digits));
  if (!number || *number > k_max_volumes || !file.starts_with(volume(*number))) return std::nullopt;
  const std::string_view ending = file.substr(volume(*number).size());
  if (ending.empty()) return Parsed{.number = *number};
  if (ending == k_partial_ending) return Parsed{.number = *number, .partial = true};
  if (!ending.starts_with(k_replaced)) return std::nullopt;
  const auto generation = number_in(ending.substr(k_replaced.size()));
  if (!generation || replaced(*number, *generation) != file) return std::nullopt;
  return Parsed{.number = *number, .generation = *generation};
}

std::string lock_of_partial(const std::string& partial) {
  const std::filesystem::path path = partial;
  std::string file = path.filename().string();
  if (file.ends_with(k_partial_ending)) file.resize(file.size() - k_partial_ending.size());
  const auto archive = archive_of_volume(file);
  return archive ? (path.parent_path() / VolumeNames(*archive).lock()).string() : partial;
}

std::optional<std::string> archive_of_volume(std::string_view file) {
  const std::size_t tail = 1 + k_digits + k_archive_ending.size();
  if (file.size() <= tail || !file.ends_with(k_archive_ending)) return std::nullopt;
  std::string archive = std::string(file.substr(0, file.size() - tail)) + std::string(k_archive_ending);
  if (!VolumeNames(archive).parse(file)) return std::nullopt;
  return archive;
}

}  // namespace airgap::bundle
