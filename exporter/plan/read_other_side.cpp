#include "exporter/plan/read_other_side.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <map>
#include <string_view>
#include <utility>

#include "bundle-format/bundle_reader.hpp"
#include "bundle-format/metadata/json_kind.hpp"
#include "bundle-format/metadata/limits.hpp"
#include "bundle-format/open_following.hpp"
#include "bundle-format/volumes/volume_names.hpp"
#include "bundle-format/volumes/volume_set.hpp"
#include "common/cli/input_file.hpp"
#include "common/diag/error.hpp"
#include "common/diag/log.hpp"
#include "common/text/escape.hpp"
#include "common/text/utf8.hpp"
#include "common/transport/image_graph.hpp"

namespace airgap::exporter {
namespace {

constexpr auto k_what_it_may_be =
    "--since takes a bundle, a bundle's bundle.json, or a receipt that 'airgap-import push --receipt' wrote";

constexpr std::size_t k_front = 512;  // bytes: blank ones may come first, of editors and of mail programs

/// A JSON file stands for itself; everything else is a bundle, or none.
bool is_text(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) {
    if (bundle::find_volumes({path})) return false;  // NAME.tar of NAME.001.tar
    throw diag::UsageError(fmt::format("there is no {}", text::escape(path)), k_what_it_may_be);
  }
  if (!S_ISREG(status.st_mode)) return !S_ISDIR(status.st_mode);
  std::array<std::byte, k_front> bytes{};
  const std::size_t count = bundle::open_following(path)->read_at(0, bytes);
  std::string_view front = io::text_of(std::span(bytes).first(count));
  if (front.starts_with(text::k_byte_order_mark)) front.remove_prefix(text::k_byte_order_mark.size());
  const std::size_t first = front.find_first_not_of(" \t\r\n");
  return first != front.npos && front[first] == '{';
}

class Reader {
 public:
  OtherSide read(const std::vector<std::string>& files) {
    for (const std::string& file : files) {
      diag::with_context([&] { return "reading --since " + file; }, [&] { add(file); });
    }
    OtherSide side;
    for (auto of = m_registries.begin(); of != m_registries.end(); ++of) {
      side.registries.push_back(of->first.str());
      if (of == m_registries.begin()) {
        side.add(std::move(of->second));
      } else {
        side.keep_common(of->second);
      }
    }
    side.add(std::move(m_sent));
    side.said_by = std::move(m_said_by);
    side.position = std::move(m_position);
    return side;
  }

 private:
  void add(const std::string& file) {
    if (!is_text(file)) return add_bundle(file);
    const cli::InputFile input =
        cli::read_input_file(file, bundle::k_max_bundle_json, "a receipt", "--since");
    try {
      if (bundle::json_kind(input.text) == bundle::k_receipt_kind) {
        add_receipt(bundle::parse_receipt(input.text), file);
      } else {
        add_info(bundle::parse_bundle_json(input.text), file);
      }
    } catch (const diag::UnsafeError& error) {
      throw diag::UsageError(fmt::format("{}: {}", file, error.message()),
                             error.hint().empty() ? k_what_it_may_be : error.hint());
    }
  }

  void add_bundle(const std::string& file) {
    const bundle::BundleInfo info = bundle::read_info(file);
    add_info(info, file);
    learn_repositories(info, file);
  }

  void add_info(const bundle::BundleInfo& info, const std::string& file) {
    for (const bundle::Image& image : info.images) {
      m_sent.images.emplace(image.name, image.digest);
      m_sent.targets.emplace(image.target, image.digest);
      m_sent.places.emplace(image.name, image.target);
    }
    for (const bundle::BaseImage& image : info.base) m_sent.places.emplace(image.name, image.target);
    for (const bundle::Blob& blob : info.blobs) {
      if (blob.kind != bundle::BlobKind::manifest) add_blob(m_sent, blob.digest, blob.size, {});
    }
    for (const bundle::RequiredBlob& blob : info.requires_) {
      add_blob(m_sent, blob.digest, blob.size, blob.repository);
    }
    std::optional<bundle::StreamPosition> position;
    if (!info.stream.empty()) position = bundle::StreamPosition{info.stream, info.sequence};
    add_position(position, file);
  }

  void add_receipt(const bundle::Receipt& receipt, const std::string& file) {
    OtherSide& side = m_registries[receipt.registry];
    for (const bundle::ReceivedImage& image : receipt.images) {
      side.images.emplace(image.name, image.digest);
      const auto target = receipt.target_of(image);
      if (!target) continue;
      side.targets.emplace(*target, image.digest);
      if (image.name.registry != receipt.registry.registry) side.places.emplace(image.name, *target);
    }
    for (const bundle::ReceivedBlob& blob : receipt.blobs) {
      add_blob(side, blob.digest, blob.size, receipt.repository_of(blob));
    }
    add_position(receipt.position, file);
  }

  static void add_blob(OtherSide& side, const hash::Digest& digest, std::uint64_t size,
                       const std::string& repository) {
    side.blobs.try_emplace(digest, OtherSide::Held{size, {}});
    learn(side, digest, repository);
  }

  void add_position(const std::optional<bundle::StreamPosition>& position, const std::string& file) {
    if (!position) {
      m_said_by.push_back(file);
      return;
    }
    m_said_by.push_back(fmt::format("{}, sequence {}", file, position->sequence));
    if (!m_position) m_position = position;
    if (m_position->stream == position->stream) {
      m_position->sequence = std::max(m_position->sequence, position->sequence);
    }
  }

  /// Its manifests tell in which repositories its blobs are once it is pushed. That spares the importer
  /// questions, no more, so a bundle without its blobs will do as well.
  void learn_repositories(const bundle::BundleInfo& info, const std::string& file) {
    try {
      const auto bundle = bundle::open_bundle(file);
      for (const bundle::Image& image : info.images) {
        const auto place = image::RegistryTarget{.registry = "registry.internal"}.place(image.target);
        const auto graph = transport::load_graph(*bundle, {image.media_type, image.digest, image.size});
        for (const auto* blobs : {&graph.configs, &graph.layers}) {
          for (const image::Descriptor& blob : *blobs) learn(m_sent, blob.digest, place.repository);
        }
      }
    } catch (const diag::Error& error) {
      diag::log("plan", diag::LogLevel::debug,
                fmt::format("{} does not say where its blobs are: {}", file, error.full_message()));
    }
  }

  static void learn(OtherSide& side, const hash::Digest& digest, const std::string& repository) {
    const auto held = side.blobs.find(digest);
    if (held != side.blobs.end() && held->second.repository.empty()) held->second.repository = repository;
  }

  std::map<image::RegistryTarget, OtherSide> m_registries;  // what receipts say of each
  OtherSide m_sent;                                         // in bundles
  std::vector<std::string> m_said_by;
  std::optional<bundle::StreamPosition> m_position;
};

/// Whether `since` is, or leads to, what is written to `output`.
bool is_output(const std::string& since, const std::string& output) {
  std::error_code error;
  if (std::filesystem::equivalent(since, output, error)) return true;
  if (is_text(since)) return false;
  const auto set = bundle::find_volumes({since});
  if (!set) return false;
  const std::filesystem::path written(output);
  return std::ranges::any_of(set->volumes, [&](const auto& volume) {
    const std::filesystem::path file(volume.second.path);
    const auto parent = [](const std::filesystem::path& path) {
      return path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
    };
    return bundle::archive_of_volume(file.filename().string()) == written.filename().string() &&
           std::filesystem::equivalent(parent(file), parent(written), error);
  });
}

}  // namespace

OtherSide read_other_side(const std::vector<std::string>& files, const std::string& output) {
  for (const std::string& file : files) {
    if (!is_output(file, output)) continue;
    throw diag::UsageError(fmt::format("--since and --output both name {}", output),
                           "write the delta to a place of its own");
  }
  return Reader().read(files);
}

}  // namespace airgap::exporter
