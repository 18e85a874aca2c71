#include "common/registry/credentials.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <mutex>
#include <utility>
#include <variant>

#include "common/diag/error.hpp"
#include "common/registry/auth_file.hpp"
#include "common/registry/credential_helper.hpp"
#include "common/registry/environment.hpp"

namespace airgap::registry {
namespace {

constexpr std::string_view k_auth_files = "containers-auth.json";

// A helper's answer is kept, its failure too: sixteen workers are not to wait for it one after another.
using HelperAnswer = std::variant<std::optional<Credential>, diag::CredentialsError>;

const Credential* longest_match(const AuthFile& file, const std::string& registry,
                                std::string_view repository) {
  std::string key = repository.empty() ? registry : registry + "/" + std::string(repository);
  for (;;) {
    if (const auto found = file.auths.find(key); found != file.auths.end()) {
      for (const Credential& other : found->second) {
        if (other != found->second.front()) {
          throw diag::CredentialsError(
              fmt::format("{} holds several different credentials for {}", file.path, key),
              "keep one of them");
        }
      }
      return &found->second.front();
    }
    const std::size_t slash = key.rfind('/');
    if (slash == std::string::npos) return nullptr;
    key.resize(slash);
  }
}

// The names that docker-credential programs store a host under.
std::vector<std::string> server_names(const std::string& registry) {
  if (registry == "docker.io") return {"https://index.docker.io/v1/", "docker.io"};
  return {registry, "https://" + registry};
}

}  // namespace

struct CredentialStore::State {
  CredentialSources sources;
  std::mutex mutex;  // held while a helper runs, so that it is asked once
  std::optional<std::vector<AuthFile>> files;
  std::map<std::pair<std::string, std::string>, HelperAnswer> answers;

  const std::vector<AuthFile>& read_files() {
    if (files) return *files;
    std::vector<AuthFile> found;
    for (const std::string& path : sources.files) {
      if (auto file = read_auth_file(path)) found.push_back(std::move(*file));
    }
    return files.emplace(std::move(found));
  }

  std::optional<Credential> ask_once(const std::string& helper, const std::string& registry) {
    auto known = answers.find({helper, registry});
    if (known == answers.end())
      known = answers.emplace(std::pair(helper, registry), ask(helper, registry)).first;
    if (const auto* failure = std::get_if<diag::CredentialsError>(&known->second)) {
      throw diag::CredentialsError(*failure);
    }
    return std::get<std::optional<Credential>>(known->second);
  }

  HelperAnswer ask(const std::string& helper, const std::string& registry) const {
    try {
      for (const std::string& server : server_names(registry)) {
        if (auto credential = ask_helper(helper, server, sources.stop)) return credential;
      }
      return std::nullopt;
    } catch (const diag::CredentialsError& failure) {
      return failure;
    }
  }

  std::optional<Credential> find_in(const AuthFile& file, const std::string& registry,
                                    std::string_view repository) {
    if (const auto helper = file.helpers.find(registry); helper != file.helpers.end()) {
      if (auto credential = ask_once(helper->second, registry)) return credential;
    }
    if (const Credential* credential = longest_match(file, registry, repository)) return *credential;
    return file.store.empty() ? std::nullopt : ask_once(file.store, registry);
  }
};

std::vector<std::string> default_auth_files() {
  if (const std::string only = environment("REGISTRY_AUTH_FILE"); !only.empty()) return {only};
  const std::string home = environment("HOME");
  const std::string runtime = environment("XDG_RUNTIME_DIR");
  const std::string config = environment("XDG_CONFIG_HOME");
  const std::string docker = environment("DOCKER_CONFIG");
  std::vector<std::string> files;
  files.push_back(runtime.empty() ? fmt::format("/run/containers/{}/auth.json", getuid())
                                  : runtime + "/containers/auth.json");
  if (!config.empty()) {
    files.push_back(config + "/containers/auth.json");
  } else if (!home.empty()) {
    files.push_back(home + "/.config/containers/auth.json");
  }
  if (!docker.empty()) {
    files.push_back(docker + "/config.json");
  } else if (!home.empty()) {
    files.push_back(home + "/.docker/config.json");
  }
  if (!home.empty()) files.push_back(home + "/.dockercfg");
  return files;
}

CredentialStore::CredentialStore(CredentialSources sources) : m_state(std::make_unique<State>()) {
  for (const std::string& path : sources.files) {
    if (sources.files_must_exist && access(path.c_str(), F_OK) != 0) {
      throw diag::UsageError(fmt::format("there is no auth file {}", path));
    }
  }
  m_state->sources = std::move(sources);
}

CredentialStore::~CredentialStore() = default;

std::optional<Credential> CredentialStore::find(std::string_view registry, std::string_view repository) {
  const std::string host = normal_auth_key(registry);
  const std::scoped_lock lock(m_state->mutex);
  for (const auto& [key, credential] : m_state->sources.explicit_ones) {
    if (normal_auth_key(key) == host) return credential;
  }
  for (const std::string& helper : m_state->sources.helpers) {
    if (helper != k_auth_files) {
      if (auto credential = m_state->ask_once(helper, host)) return credential;
      continue;
    }
    for (const AuthFile& file : m_state->read_files()) {
      if (auto credential = m_state->find_in(file, host, repository)) return credential;
    }
  }
  return std::nullopt;
}

}  // namespace airgap::registry
