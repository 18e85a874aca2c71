#include "common/registry/credentials.hpp"

#include <stdlib.h>

#include <filesystem>

#include "common/registry/auth_file.hpp"
#include "common/registry/credential_helper.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/unit/common/registry/registry_fixture.hpp"

namespace airgap::registry {
namespace {

using test::error_of;
using test::TempDir;

CredentialStore store_of(std::vector<std::string> files) {
  return CredentialStore(
      {.explicit_ones = {}, .files = std::move(files), .files_must_exist = false, .stop = {}});
}

std::string user_for(CredentialStore& store, std::string_view registry, std::string_view repository = "a/b") {
  const auto found = store.find(registry, repository);
  return found ? found->username + ":" + found->password + found->identity_token : "-";
}

// PATH with a directory of scripts in front, for as long as it lives.
class Path {
 public:
  explicit Path(const TempDir& dir) : m_old(getenv("PATH")) {
    setenv("PATH", (dir.path() + ":" + m_old).c_str(), 1);
  }
  ~Path() { setenv("PATH", m_old.c_str(), 1); }
  Path(const Path&) = delete;
  Path& operator=(const Path&) = delete;

 private:
  std::string m_old;
};

TEST_CASE("credential helpers are asked in their order, and the auth files in theirs") {
  const TempDir dir;
  const std::string file = dir.write("auth.json", R"({"auths":{"reg.example":{"auth":"dTpob3N0"}}})");
  dir.write("docker-credential-test",
            "#!/bin/sh\nread server\n[ $server = reg.example ] || exit 1\n"
            "echo '{\"Username\":\"h\",\"Secret\":\"s\"}'\n",
            true);
  const Path path(dir);
  CredentialStore before(
      {.explicit_ones = {}, .files = {file}, .helpers = {"test", "containers-auth.json"}, .stop = {}});
  CHECK(user_for(before, "reg.example") == "h:s");
  CredentialStore after(
      {.explicit_ones = {}, .files = {file}, .helpers = {"containers-auth.json", "test"}, .stop = {}});
  CHECK(user_for(after, "reg.example") == "u:host");
  CredentialStore alone(
      {.explicit_ones = {{"a.example", {"x", "y", {}}}}, .files = {file}, .helpers = {"test"}, .stop = {}});
  CHECK(user_for(alone, "a.example") == "x:y");
}

TEST_CASE("the longest key of an auth file that fits wins, and the first file with a hit") {
  const TempDir dir;
  // u:host, u:ns, u:repo, u:p:w (a password with a colon), u:hub, u:url
  const std::string first = dir.write("auth.json", R"({"auths":{
    "reg.example":{"auth":"dTpob3N0"}, "reg.example/a":{"auth":"dTpucw=="}, "reg.example/a/b":{"auth":"dTpyZXBv"},
    "colon.example":{"auth":"dTpwOnc="}, "https://index.docker.io/v1/":{"auth":"dTpodWI="},
    "https://url.example/v2/":{"auth":"dTp1cmw="}, "token.example":{"identitytoken":"tok"},
    "plain.example":{"username":"u","password":"p"}, "empty.example":{}}})");
  const std::string second = dir.write("config.json", R"({"auths":{"reg.example":{"auth":"dTpsYXRl"},
    "late.example":{"auth":"dTpsYXRl"}}})");
  CredentialStore store = store_of({dir.path("absent.json"), first, second});
  CHECK(user_for(store, "reg.example", "a/b") == "u:repo");
  CHECK(user_for(store, "reg.example", "a/c") == "u:ns");
  CHECK(user_for(store, "reg.example", "ab/c") == "u:host");
  CHECK(user_for(store, "reg.example:5000") == "-");
  CHECK(user_for(store, "colon.example") == "u:p:w");
  CHECK(user_for(store, "docker.io", "library/nginx") == "u:hub");
  CHECK(user_for(store, "url.example") == "u:url");
  CHECK(user_for(store, "token.example") == ":tok");
  CHECK(user_for(store, "plain.example") == "u:p");
  CHECK(user_for(store, "empty.example") == "-");
  CHECK(user_for(store, "late.example") == "u:late");
}

TEST_CASE("credentials given for a host come before any file") {
  CredentialStore store({.explicit_ones = {{"docker.io", {"me", "pw", ""}}},
                         .files = {"/nonexistent/auth.json"},
                         .files_must_exist = false,
                         .stop = {}});
  CHECK(user_for(store, "docker.io") == "me:pw");
  CHECK(user_for(store, "reg.example") == "-");
}

TEST_CASE("a named auth file that is absent is a usage error") {
  CHECK_THROWS_AS(
      CredentialStore({.explicit_ones = {}, .files = {"/nonexistent"}, .files_must_exist = true, .stop = {}}),
      diag::UsageError);
}

TEST_CASE("a malformed auth file is refused, and its content stays untold (R152)") {
  struct Row {
    const char* text;
    const char* why;
  };
  for (const Row& row :
       {Row{"not json", "auth.json"}, Row{R"({"auths":{"r":{"auth":"!!!secret"}}})", "user:password"},
        Row{R"({"auths":{"r":{"auth":"bm9jb2xvbg=="}}})", "user:password"},
        Row{R"({"auths":{"r":{"auth":5}}})", "/auths/r/auth"},
        Row{R"({"auths":{"r":{"auth":"dTpw"},"r":{"auth":"dTpx"}}})", "auth.json"},
        Row{R"({"auths":{"r":{"auth":"dTpw"},"https://r/v1/":{"auth":"dTpx"}}})", "several"}}) {
    CAPTURE(row.text);
    const TempDir dir;
    CredentialStore store = store_of({dir.write("auth.json", row.text)});
    const diag::Error error = error_of([&] { return store.find("r", "a"); });
    CHECK(error.kind() == diag::ErrorKind::credentials);
    CHECK(error.full_message().find(row.why) != std::string::npos);
    CHECK(error.full_message().find("secret") == std::string::npos);
  }
}

TEST_CASE("an auth file that others can read is used with a warning (R153)") {
  const TempDir dir;
  const std::string file = dir.write("auth.json", R"({"auths":{"r":{"auth":"dTpw"}}})");
  std::filesystem::permissions(file, std::filesystem::perms::others_read, std::filesystem::perm_options::add);
  const test::Warnings warnings;
  CredentialStore store = store_of({file});
  CHECK(user_for(store, "r") == "u:p");
  CHECK(user_for(store, "other") == "-");
  REQUIRE(warnings.lines().size() == 1);
  CHECK(warnings.lines().front().find(file) != std::string::npos);
}

TEST_CASE("helpers are asked without a shell, once, and told the host on their input") {
  const TempDir dir;
  const Path path(dir);
  dir.write(
      "docker-credential-good",
      "#!/bin/sh\necho x >>" + dir.path("calls") +
          "\nread -r host\n[ \"$1\" = get ] || exit 3\n"
          "printf '{\"ServerURL\":\"%s\",\"Username\":\"u\",\"Secret\":\"for %s\"}' \"$host\" \"$host\"\n",
      true);
  dir.write("docker-credential-id", "#!/bin/sh\necho '{\"Username\":\"<token>\",\"Secret\":\"idt\"}'\n",
            true);
  dir.write("docker-credential-none", "#!/bin/sh\necho credentials not found in native keychain\nexit 1\n",
            true);
  const std::string config =
      dir.write("config.json", R"({"auths":{"file.example":{"auth":"dTpw"},"reg.example":{}},
    "credHelpers":{"reg.example":"good","id.example":"id","file.example":"none"},"credsStore":"none"})");
  CredentialStore store = store_of({config});
  CHECK(user_for(store, "reg.example") == "u:for reg.example");
  CHECK(user_for(store, "reg.example", "other/repo") == "u:for reg.example");
  CHECK(std::filesystem::file_size(dir.path("calls")) == 2);
  CHECK(user_for(store, "id.example") == ":idt");
  CHECK(user_for(store, "file.example") == "u:p");
  CHECK(user_for(store, "elsewhere.example") == "-");
}

TEST_CASE("a helper that misbehaves is named, and its output stays untold (R152)") {
  const TempDir dir;
  const Path path(dir);
  struct Row {
    const char* name;
    const char* script;
    const char* why;
  };
  for (const Row& row :
       {Row{"junk", "echo hunter2", "not a credential"},
        Row{"nosecret", "echo '{\"Username\":\"hunter2\"}'", "not a credential"},
        Row{"fails", "echo locked; exit 1", "failed: locked"},
        Row{"huge", "head -c 10000000 /dev/zero", "more than 64 KiB"},
        Row{"hangs", "exec sleep 60", "in time"}, Row{"closes", "exec >&-; exec sleep 60", "in time"}}) {
    CAPTURE(row.name);
    dir.write(std::string("docker-credential-") + row.name, std::string("#!/bin/sh\n") + row.script + "\n",
              true);
    const diag::Error error =
        error_of([&] { return ask_helper(row.name, "reg", {}, std::chrono::milliseconds(700)); });
    CHECK(error.kind() == diag::ErrorKind::credentials);
    CHECK(error.full_message().find(row.why) != std::string::npos);
    CHECK(error.full_message().find(row.name) != std::string::npos);
    CHECK(error.full_message().find("hunter2") == std::string::npos);
  }
  for (const char* name : {"absent", "../evil", "a b", ""}) {
    CAPTURE(name);
    CHECK_THROWS_AS(ask_helper(name, "reg", {}), diag::CredentialsError);
  }
  std::stop_source stopped;
  stopped.request_stop();
  CHECK_THROWS_AS(ask_helper("hangs", "reg", stopped.get_token()), diag::Interrupted);
}

TEST_CASE("auth files are looked for in the places of containers and docker") {
  for (const char* name : {"REGISTRY_AUTH_FILE", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "DOCKER_CONFIG"})
    unsetenv(name);
  const std::string home = getenv("HOME") != nullptr ? getenv("HOME") : "";
  setenv("HOME", "/home/u", 1);
  setenv("XDG_RUNTIME_DIR", "/run/user/7", 1);
  CHECK(default_auth_files() ==
        std::vector<std::string>{"/run/user/7/containers/auth.json", "/home/u/.config/containers/auth.json",
                                 "/home/u/.docker/config.json", "/home/u/.dockercfg"});
  setenv("REGISTRY_AUTH_FILE", "/only.json", 1);
  CHECK(default_auth_files() == std::vector<std::string>{"/only.json"});
  unsetenv("REGISTRY_AUTH_FILE");
  unsetenv("XDG_RUNTIME_DIR");
  setenv("HOME", home.c_str(), 1);
}

}  // namespace
}  // namespace airgap::registry
