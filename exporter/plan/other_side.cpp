#include "exporter/plan/other_side.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>

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
#include "common/transport/image_graph.hpp"

namespace airgap::exporter {
namespace {

constexpr auto k_what_it_may_be =
    "--since takes a bundle, a bundle's bundle.json, or a receipt that 'airgap-import push --receipt' wrote";

/// A JSON file stands for itself; everything else is a bundle, or none.
bool is_text(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) {
    if (bundle::find_volumes({path})) return false;  // NAME.tar of NAME.001.tar
    throw diag::UsageError(fmt::format("there is no {}", text::escape(path)), k_what_it_may_be);
  }
  if (!S_ISREG(status.st_mode)) return !S_ISDIR(status.st_mode);
  std::byte first{};
  return bundle::open_following(path)->read_at(0, std::span(&first, 1)) == 1 && first == std::byte{'{'};
}

class Reader {
 public:
  OtherSide read(const std::vector<std::string>& files) {
    for (const std::string& file : files) {
      diag::with_context([&] { return "reading --since " + file; }, [&] { add(file); });
    }
    return std::move(m_side);
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
    for (const bundle::Image& image : info.images) m_side.images.emplace(image.name, image.digest);
    for (const bundle::Blob& blob : info.blobs) {
      if (blob.kind != bundle::BlobKind::manifest) add_blob(blob.digest, blob.size, {});
    }
    for (const bundle::RequiredBlob& blob : info.requires_) {
      add_blob(blob.digest, blob.size, blob.repository);
    }
    std::optional<bundle::StreamPosition> position;
    if (!info.stream.empty()) position = bundle::StreamPosition{info.stream, info.sequence};
    add_position(position, file);
  }

  void add_receipt(const bundle::Receipt& receipt, const std::string& file) {
    for (const bundle::ReceivedImage& image : receipt.images) m_side.images.emplace(image.name, image.digest);
    for (const bundle::ReceivedBlob& blob : receipt.blobs) {
      add_blob(blob.digest, blob.size, receipt.repository_of(blob));
    }
    add_position(receipt.position, file);
  }

  void add_blob(const hash::Digest& digest, std::uint64_t size, const std::string& repository) {
    m_side.blobs.try_emplace(digest, OtherSide::Held{size, {}});
    learn(digest, repository);
  }

  void add_position(const std::optional<bundle::StreamPosition>& position, const std::string& file) {
    if (!position) {
      m_side.said_by.push_back(file);
      return;
    }
    m_side.said_by.push_back(fmt::format("{}, sequence {}", file, position->sequence));
    if (!m_side.position) m_side.position = position;
    if (m_side.position->stream == position->stream) {
      m_side.position->sequence = std::max(m_side.position->sequence, position->sequence);
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
          for (const image::Descriptor& blob : *blobs) learn(blob.digest, place.repository);
        }
      }
    } catch (const diag::Error& error) {
      diag::log("plan", diag::LogLevel::debug,
                fmt::format("{} does not say where its blobs are: {}", file, error.full_message()));
    }
  }

  void learn(const hash::Digest& digest, const std::string& repository) {
    const auto held = m_side.blobs.find(digest);
    if (held != m_side.blobs.end() && held->second.repository.empty()) held->second.repository = repository;
  }

  OtherSide m_side;
};

}  // namespace

const OtherSide::Held* OtherSide::find(const bundle::Blob& blob) const {
  const auto found = blobs.find(blob.digest);
  return found != blobs.end() && found->second.size == blob.size ? &found->second : nullptr;
}

namespace {

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
