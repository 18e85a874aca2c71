#include "exporter/select/skopeo_yaml.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <set>
#include <span>
#include <system_error>

#include "common/diag/error.hpp"
#include "common/text/escape.hpp"
#include "common/yaml/reader.hpp"
#include "exporter/select/section_rules.hpp"

namespace airgap::exporter {
namespace {

using yaml::Node;
using yaml::parsed_at;

std::string registry_host(const Node& key) {
  const std::string& host = key.text();
  if (!image::is_valid_registry(host)) {
    key.fail(
        fmt::format("'{}' is no registry", text::escape(host)),
        "the key is a host, as in quay.io or registry:5000; its repositories stand below it under images");
  }
  return host == "index.docker.io" ? "docker.io" : host;
}

image::Reference repository(const Node& key, const std::string& host) {
  image::Reference name = parsed_at(key, [&] { return image::Reference::in_registry(host, key.text()); });
  if (name.tag || name.digest) {
    key.fail(fmt::format("the repository '{}' has a tag or a digest", text::escape(key.text())),
             "write those into its list: app: [\"1.4\"]");
  }
  return name;
}

image::Reference tagged(const Node& entry, const image::Reference& name) {
  image::Reference image = name;
  if (!entry.is_scalar()) entry.fail("expected a tag or a digest", "quote a tag that is called null or ~");
  const std::string& text = entry.text();
  if (text.find('@') != text.npos) {
    entry.fail(fmt::format("'{}' has a tag and a digest", text::escape(text)), "write one of them");
  }
  if (text.find(':') != text.npos) {
    image.digest = parsed_at(entry, [&] { return hash::Digest::parse(text); });
  } else if (image::is_valid_tag(text)) {
    image.tag = text;
  } else {
    entry.fail(fmt::format("'{}' is no tag and no digest", text::escape(text)),
               "a tag has at most 128 letters, digits, '_', '.' and '-'; a digest looks like sha256:9f2c...");
  }
  return image;
}

/// One registry of the file.
class Section {
 public:
  Section(std::string host, SkopeoYaml& out) : m_host(std::move(host)), m_out(out) {}

  void read(const Node& key, const Node& section) {
    if (section.is_null()) key.fail("the registry names no images");
    section.refuse_unknown({"images", "images-by-tag-regex", "images-by-semver", "credentials", "tls-verify",
                            "cert-dir", "exclude", "newest", "platforms", "targets"});
    const std::size_t images_before = m_out.images.size();
    const std::size_t repositories_before = m_out.repositories.size();
    if (const Node* images = section.find("images")) read_images(*images);
    if (const Node* patterns = section.find("images-by-tag-regex")) read_patterns(*patterns);
    if (const Node* constraints = section.find("images-by-semver")) read_constraints(*constraints);
    if (m_out.images.size() == images_before && m_out.repositories.size() == repositories_before) {
      key.fail("the registry names no images",
               "list repositories under images, images-by-tag-regex or images-by-semver");
    }
    SectionRules(m_host, std::span(m_out.images).subspan(images_before),
                 std::span(m_out.repositories).subspan(repositories_before))
        .read(section, m_out.platforms, m_out.targets);
    cli::RegistrySettings settings;
    if (const Node* credentials = section.find("credentials"))
      settings.credential = read_credential(*credentials);
    if (const Node* verify = section.find("tls-verify")) settings.verify_tls = verify->boolean();
    if (const Node* directory = section.find("cert-dir")) settings.cert_dir = read_directory(*directory);
    if (settings != cli::RegistrySettings{}) m_out.settings.emplace(m_host, std::move(settings));
  }

 private:
  // No list, or an empty one, means all tags.
  void read_images(const Node& images) {
    for (const auto& [key, list] : images.members()) {
      const image::Reference name = repository(key, m_host);
      if (list.is_null() || (list.kind() == yaml::Kind::list && list.elements().empty())) {
        m_out.repositories.push_back({name, TagFilter(AllTags{}), key.place()});
        continue;
      }
      if (list.kind() != yaml::Kind::list) {
        list.fail("expected a list of tags and digests",
                  "put it into brackets: [\"1.4\"]; [] means all tags");
      }
      std::set<std::string> seen;
      for (const Node& entry : list.elements()) {
        m_out.images.push_back({tagged(entry, name)});
        if (!seen.insert(entry.text()).second)
          entry.fail(fmt::format("'{}' is listed twice", text::escape(entry.text())));
      }
    }
  }

  void read_patterns(const Node& patterns) {
    for (const auto& [key, expression] : patterns.members()) {
      const image::Reference name = repository(key, m_host);
      if (expression.is_null() || expression.text().empty()) {
        key.fail("the regular expression is missing", "'.*' matches all tags");
      }
      std::string why;
      auto pattern = text::Pattern::compile(expression.text(), why);
      if (!pattern) {
        expression.fail(fmt::format("bad regular expression '{}': {}", text::escape(expression.text()), why),
                        "the syntax is RE2's, as in skopeo");
      }
      m_out.repositories.push_back({name, TagFilter(std::move(*pattern)), expression.place()});
    }
  }

  void read_constraints(const Node& constraints) {
    for (const auto& [key, text] : constraints.members()) {
      const image::Reference name = repository(key, m_host);
      if (text.is_null()) key.fail("the version constraint is missing", "'*' takes all released versions");
      auto constraint =
          parsed_at(text, [&, &node = text] { return image::SemverConstraint::parse(node.text()); });
      m_out.repositories.push_back({name, TagFilter(std::move(constraint)), text.place()});
    }
  }

  // What is written here may be a secret wherever it stands: it is in no message.
  static registry::Credential read_credential(const Node& credentials) {
    credentials.refuse_unknown({"username", "password", "identitytoken"}, Node::Echo::no);
    const auto value = [&](const char* name) {
      const Node* node = credentials.find(name);
      return node == nullptr ? std::string{} : node->text();
    };
    registry::Credential credential{value("username"), value("password"), value("identitytoken")};
    if (!credential.identity_token.empty()) {
      if (!credential.password.empty()) credentials.fail("password and identitytoken exclude each other");
      credential.username.clear();
    } else if (credential.username.empty() || credential.password.empty()) {
      credentials.fail("expected username and password, or identitytoken",
                       "quote a password that is called null or ~");
    }
    return credential;
  }

  static std::string read_directory(const Node& directory) {
    std::error_code ignored;
    if (!std::filesystem::is_directory(directory.text(), ignored)) {
      directory.fail(fmt::format("'{}' is not a directory", text::escape(directory.text())));
    }
    return directory.text();
  }

  std::string m_host;
  SkopeoYaml& m_out;
};

// The first line that says something, without a comment.
std::string_view first_line(std::string_view text) {
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    const std::size_t first = line.find_first_not_of(" \t\r");
    if (first != line.npos && line[first] != '#') {
      line.remove_prefix(first);
      return line.substr(0, line.find_last_not_of(" \t\r") + 1);
    }
    text = end == text.npos ? std::string_view{} : text.substr(end + 1);
  }
  return {};
}

}  // namespace

bool looks_like_yaml(std::string_view text) {
  constexpr std::string_view k_bom = "\xef\xbb\xbf";
  if (text.starts_with(k_bom)) text.remove_prefix(k_bom.size());
  std::string_view line = first_line(text);
  for (const std::string_view opening : {"{", "---", "%", "? ", "- ", "\"", "'"}) {
    if (line.starts_with(opening)) return true;
  }
  if (const std::size_t comment = line.find(" #"); comment != line.npos) line = line.substr(0, comment);
  line = line.substr(0, line.find_last_not_of(" \t") + 1);
  return line.ends_with(':') || line.find(": ") != line.npos || line.find(":\t") != line.npos;
}

SkopeoYaml parse_skopeo_yaml(std::string_view text, const std::string& file) {
  const Node root = yaml::read(text, file);
  if (root.kind() != yaml::Kind::map) {
    root.fail("expected a map of registries",
              "write a host and below it images:, or a plain list with a name a line");
  }
  if (root.members().empty()) root.fail("there are no registries in it");
  SkopeoYaml wanted;
  std::set<std::string> hosts;
  for (const auto& [key, section] : root.members()) {
    const std::string host = registry_host(key);
    if (!hosts.insert(host).second) key.fail(fmt::format("the registry {} stands here a second time", host));
    Section(host, wanted).read(key, section);
  }
  return wanted;
}

}  // namespace airgap::exporter
