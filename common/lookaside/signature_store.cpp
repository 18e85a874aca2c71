#include "common/lookaside/signature_store.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include <cerrno>
#include <utility>

#include "common/diag/error.hpp"
#include "common/io/directory.hpp"
#include "common/text/escape.hpp"

namespace airgap::lookaside {
namespace {

constexpr std::string_view k_file = "file://";

// "repository@sha256=<hex>"
std::string folder_of(const image::Reference& name, const hash::Digest& manifest) {
  return fmt::format("{}@{}={}", name.repository, hash::name(manifest.algorithm()), manifest.hex());
}

// The user named the place, so links are followed.
std::optional<std::string> read_signature_file(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
  if (fd < 0 && (errno == ENOENT || errno == ENOTDIR)) return std::nullopt;
  if (fd < 0) io::throw_errno(errno, "cannot open " + path);
  const auto file = std::make_shared<const io::File>(fd, path);
  io::FileRangeSource bytes(file, 0, file->size());
  return io::read_all(bytes, k_max_signature, "signature");
}

}  // namespace

SignatureReader::SignatureReader(const LookasideConf& conf, http::Client& client, http::OriginLookup origins)
    : m_conf(conf), m_client(client), m_origins(std::move(origins)) {}

std::vector<std::string> SignatureReader::read(const image::Reference& name,
                                               const hash::Digest& manifest) const {
  const auto base = m_conf.read_url(name);
  if (!base) return {};
  return diag::with_context(
      [&] { return fmt::format("reading the signatures of {}", name.str()); },
      [&] {
        std::vector<std::string> signatures;
        while (auto signature = fetch(fmt::format("{}/{}/signature-{}", *base, folder_of(name, manifest),
                                                  signatures.size() + 1))) {
          if (signatures.size() == k_max_signatures)
            throw diag::UnsafeError(
                fmt::format("{} has more than {} signatures", manifest.str(), k_max_signatures));
          signatures.push_back(std::move(*signature));
        }
        return signatures;
      });
}

std::optional<std::string> SignatureReader::fetch(const std::string& url) const {
  if (url.starts_with("file:")) return read_signature_file(directory_of_url(url));
  if (!url.starts_with("http://") && !url.starts_with("https://"))
    throw diag::UsageError(fmt::format("'{}' is no place for signatures", text::escape(url)),
                           "registries.d takes https:, http: and file: URLs");
  http::Request request{.url = http::Url::parse(url)};
  const http::OriginSettings settings = m_origins(request.url.origin());
  request.tls = settings.tls;
  request.allow_plain_http = true;  // registries.d spells it out
  const auto response = m_client.send(request);
  if (response->status() == 404) return std::nullopt;
  if (response->status() != 200) {
    throw diag::NetworkError(
        fmt::format("expected a signature or 404 from {}, found status {}", text::escape(url),
                    response->status()),
        "check the lookaside server, or take it out of registries.d to pull without signatures");
  }
  return io::read_all(*response, k_max_signature, "signature");
}

std::string directory_of_url(const std::string& url) {
  std::string path = url.starts_with(k_file) ? url.substr(k_file.size()) : std::string{};
  if (path.starts_with('/') && path.find_first_of("%?#") == path.npos && path.find('\0') == path.npos)
    return path;
  throw diag::UsageError(fmt::format("'{}' is no directory for signatures", text::escape(url)),
                         "in registries.d a directory is written file:///ABSOLUTE/PATH");
}

void write_signatures(const std::string& directory, const image::Reference& name,
                      const hash::Digest& manifest, const std::vector<std::string>& signatures) {
  const io::Directory top = io::Directory::create_or_open(directory);
  const std::string folder = folder_of(name, manifest);
  top.make_directories(folder);
  const auto file = [&](std::size_t number) { return fmt::format("{}/signature-{}", folder, number); };
  for (std::size_t i = 0; i < signatures.size(); ++i) top.write_atomically(file(i + 1), signatures[i]);
  for (std::size_t number = signatures.size() + 1; top.stat(file(number)); ++number)
    top.remove_file(file(number));
}

}  // namespace airgap::lookaside
