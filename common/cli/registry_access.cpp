#include "common/cli/registry_access.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <optional>
#include <set>
#include <system_error>

#include "common/cli/secrets.hpp"
#include "common/cli/terminal.hpp"
#include "common/diag/error.hpp"
#include "common/diag/log.hpp"
#include "common/http/curl_client.hpp"
#include "common/http/redirecting_client.hpp"
#include "common/http/retrying_client.hpp"
#include "common/registry/registries_conf_files.hpp"
#include "common/task/guarded.hpp"
#include "common/text/escape.hpp"
#include "common/upload_records/record_folder.hpp"

namespace airgap::cli {
namespace {

using diag::UsageError;

std::set<std::string> checked_hosts(const std::vector<std::string>& hosts, const char* option) {
  for (const std::string& host : hosts) {
    if (host.empty() || host.find_first_of("/@ \t") != host.npos) {
      throw UsageError(fmt::format("{}: '{}' is not a host", option, text::escape(host)),
                       fmt::format("name a host and its port, as in {} registry.example:5000", option));
    }
  }
  return {hosts.begin(), hosts.end()};
}

registry::HostRules host_rules(const RegistryAccessOptions& options, const SettingsOfRegistries& settings) {
  std::error_code ignored;
  if (!options.cert_dir.empty() && !std::filesystem::is_directory(options.cert_dir, ignored)) {
    throw UsageError(fmt::format("--cert-dir: '{}' is not a directory", text::escape(options.cert_dir)));
  }
  registry::HostRules rules;
  rules.insecure = checked_hosts(options.insecure, "--insecure");
  rules.plain_http = checked_hosts(options.plain_http, "--plain-http");
  rules.trusted = checked_hosts(options.trust_host, "--trust-host");
  rules.cert_dir = options.cert_dir;
  rules.cert_roots = registry::default_cert_roots();
  for (const auto& [host, of_host] : settings) {
    if (of_host.verify_tls) (*of_host.verify_tls ? rules.verified : rules.insecure).insert(host);
    if (!of_host.cert_dir.empty()) rules.cert_dirs[host] = of_host.cert_dir;
  }
  return rules;
}

http::RetryPolicy retry_policy(const RegistryAccessOptions& options) {
  http::RetryPolicy policy;
  policy.repeats = options.retry;
  policy.longest_wait = std::chrono::seconds(options.max_wait);
  return policy;
}

// HOST=FILE, or FILE for the host that the command line names.
void add_credential_file(const std::string& text, std::string host, registry::CredentialSources& sources) {
  std::string path = text;
  const std::size_t equals = text.find('=');
  if (equals != text.npos && text.find('/') > equals) {
    host = text.substr(0, equals);
    path = text.substr(equals + 1);
  }
  if (host.empty()) {
    throw UsageError("--creds-file does not say for which registry",
                     "several are named: use --creds-file HOST=FILE, or an --authfile");
  }
  sources.explicit_ones[host] = read_credential_file(path);
}

registry::CredentialSources credential_sources(const RegistryAccessOptions& options, const std::string& host,
                                               const SettingsOfRegistries& settings, std::stop_token stop) {
  registry::CredentialSources sources;
  sources.stop = std::move(stop);
  sources.files_must_exist = !options.authfile.empty();
  sources.files =
      options.authfile.empty() ? registry::default_auth_files() : std::vector<std::string>{options.authfile};
  const auto& helpers = options.registries().credential_helpers;
  if (options.authfile.empty() && helpers && !helpers->empty()) sources.helpers = *helpers;
  if (options.creds_stdin && !options.creds_file.empty()) {
    throw UsageError("--creds-stdin and --creds-file exclude each other");
  }
  if (!options.creds_file.empty()) add_credential_file(options.creds_file, host, sources);
  if (options.creds_stdin) {
    if (host.empty()) {
      throw UsageError("--creds-stdin does not say for which registry",
                       "several are named: use an --authfile");
    }
    sources.explicit_ones[host] = read_credential(STDIN_FILENO, "standard input");
  }
  for (const auto& [registry, of_registry] : settings) {
    if (of_registry.credential) sources.explicit_ones[registry] = *of_registry.credential;
  }
  return sources;
}

// Variables that change where bytes and keys go (R155). Their values may hold secrets.
void log_environment() {
  constexpr std::array k_proxies{"http_proxy",  "HTTP_PROXY", "https_proxy",
                                 "HTTPS_PROXY", "all_proxy",  "ALL_PROXY"};
  for (const char* name : k_proxies) {
    if (!process_environment(name).empty()) {
      diag::log("http", diag::LogLevel::debug, fmt::format("{} is set and used", name));
    }
  }
  if (!process_environment("SSLKEYLOGFILE").empty()) {
    diag::log("http", diag::LogLevel::warning,
              "SSLKEYLOGFILE is set: TLS session keys are written to that file");
  }
}

// Many workers wait for one host at once: that is said once, until the wait that was told of is over.
http::WaitObserver wait_observer(Console& console) {
  using Clock = std::chrono::steady_clock;
  const auto told_until = std::make_shared<task::Guarded<std::map<std::string, Clock::time_point>>>();
  return [&console, told_until](const http::Url& url, std::string_view why, std::chrono::milliseconds wait) {
    const bool told = told_until->with([&](auto& until) {
      auto& end = until[url.origin().str()];
      if (Clock::now() < end) return true;
      end = Clock::now() + wait;
      return false;
    });
    if (told) return;
    const double seconds = static_cast<double>(wait.count()) / 1000;
    console.status(fmt::format("{}: {}; waiting {:.{}f} s", text::escape(url.origin().host),
                               text::escape(why), seconds, seconds < 10 ? 1 : 0));
  };
}

}  // namespace

void RegistryAccessOptions::declare(Command& command) {
  command.group("Registry access");
  command.option("-j,--jobs", jobs, "N", "transfers at the same time", {1, 64});
  command.option("--retry", retry, "N", "repeats after a first attempt that failed", {0, 100});
  command.option("--stall-timeout", stall_timeout, "SECONDS", "give up a transfer below 1 KiB/s for so long",
                 {1, 3600});
  command.option("--max-wait", max_wait, "SECONDS", "the longest Retry-After of a registry to wait for",
                 {0, 86'400});
  command.option("--authfile", authfile, "FILE",
                 "credentials: auth.json or config.json (default: the usual places of podman and docker)");
  command.option("--creds-file", creds_file, "[HOST=]FILE",
                 "credentials: a first line 'user:password', mode 0600");
  command.flag("--creds-stdin", creds_stdin,
               "credentials: 'user:password' on the first line of standard input");
  command.option(
      "--cert-dir", cert_dir, "DIR",
      "*.crt authorities, *.cert and *.key client certificate (default: the host's certs.d directories)");
  command.option("--insecure", insecure, "HOST[:PORT]",
                 "do not verify this host's certificate; plain http where it speaks no TLS");
  command.option("--plain-http", plain_http, "HOST[:PORT]", "speak http with this host");
  command.option("--registries-conf", registries_conf, "FILE",
                 "mirrors, locations, blocked registries, short names: this registries.conf alone, or none");
  command.option("--trust-host", trust_host, "HOST[:PORT]",
                 "a registry may point to this host: a token server of another owner, a private address");
}

RegistryAccessOptions pulling() {
  RegistryAccessOptions options;
  options.pulls = true;
  return options;
}

const registry::RegistriesConf& RegistryAccessOptions::registries() const {
  if (!m_registries) {
    registry::ConfPlaces places;
    if (registries_conf.empty()) places = registry::usual_conf_places();
    if (registries_conf != "none") places.only = registries_conf.empty() ? places.only : registries_conf;
    m_registries = std::make_shared<const registry::RegistriesConf>(registry::load_registries_conf(places));
  }
  return *m_registries;
}

// Each stands on those above it.
struct RegistryAccess::Parts {
  registry::HostRules rules;
  http::CurlClient curl;
  http::RedirectingClient redirecting;
  http::RetryingClient retrying;
  registry::CredentialStore credentials;
  upload_records::RecordFolder uploads;
  registry::RegistryClient client;

  Parts(const RegistryAccessOptions& options, const std::string& host, Context& context,
        const SettingsOfRegistries& settings)
      : rules(host_rules(options, settings)),
        curl({"airgap/" + context.version, std::chrono::seconds(15),
              std::chrono::seconds(options.stall_timeout), context.stop}),
        redirecting(curl, registry::origin_lookup(rules)),
        retrying(redirecting, task::system_clock(), retry_policy(options), context.stop,
                 wait_observer(context.console)),
        credentials(credential_sources(options, host, settings, context.stop)),
        uploads(upload_records::usual_folder(), task::system_clock()),
        client(retrying, credentials, task::system_clock(),
               registry::RegistryOptions{.hosts = rules,
                                         .routes = registry::PullRoutes(options.registries().rules),
                                         .pull_by_routes = options.pulls,
                                         .retry = retry_policy(options),
                                         .stop = context.stop,
                                         .sends_on = options.sends_on,
                                         .kept_uploads = &uploads}) {}
};

RegistryAccess::RegistryAccess(const RegistryAccessOptions& options, const std::string& credential_host,
                               Context& context, const SettingsOfRegistries& settings) {
  log_environment();
  m_parts = std::make_unique<Parts>(options, credential_host, context, settings);
}

RegistryAccess::~RegistryAccess() = default;

registry::RegistryClient& RegistryAccess::client() {
  return m_parts->client;
}

http::Client& RegistryAccess::http() {
  return m_parts->retrying;
}

http::OriginLookup RegistryAccess::origins() const {
  return registry::origin_lookup(m_parts->rules);
}

}  // namespace airgap::cli
