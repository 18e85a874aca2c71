#include "common/cli/secrets.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <string>

#include "common/diag/error.hpp"
#include "tests/support/temp_dir.hpp"

using namespace airgap;

namespace {

struct CredentialFile {
  test::TempDir directory;
  std::string path;

  CredentialFile(const std::string& text, mode_t mode) : path(directory.write("creds", text)) {
    REQUIRE(::chmod(path.c_str(), mode) == 0);
  }
};

}  // namespace

TEST_CASE("the first line is user and password, which may hold colons") {
  for (const char* text : {"ada:pass:word", "ada:pass:word\nnot this", "ada:pass:word\r\n"}) {
    const CredentialFile file(text, 0600);
    const auto credential = cli::read_credential_file(file.path);
    CHECK(credential.username == "ada");
    CHECK(credential.password == "pass:word");
  }
}

TEST_CASE("a credentials file that others can read is refused") {
  for (const mode_t mode : {0640, 0604, 0660}) {
    const CredentialFile file("ada:secret\n", mode);
    CHECK_THROWS_WITH_AS(cli::read_credential_file(file.path), doctest::Contains("can be read by others"),
                         diag::CredentialsError);
  }
}

TEST_CASE("a credentials file that is none is refused without quoting it") {
  for (const std::string& text :
       {std::string(), std::string("hunter2"), std::string(":hunter2\n"), std::string(100'000, 'h')}) {
    const CredentialFile file(text, 0600);
    try {
      cli::read_credential_file(file.path);
      FAIL("was accepted");
    } catch (const diag::CredentialsError& error) {
      CHECK(error.full_message().find("hunter2") == std::string::npos);
    }
  }
  CHECK_THROWS_AS(cli::read_credential_file("/nonexistent"), diag::CredentialsError);
  CHECK_THROWS_AS(cli::read_credential_file("/dev/null"), diag::CredentialsError);
}

TEST_CASE("only the first line of standard input is taken") {
  std::array<int, 2> ends{};
  REQUIRE(::pipe(ends.data()) == 0);
  REQUIRE(::write(ends[1], "ada:secret\nrest", 15) == 15);
  CHECK(cli::read_credential(ends[0], "standard input").password == "secret");
  std::array<char, 8> rest{};
  CHECK(::read(ends[0], rest.data(), rest.size()) == 4);
  ::close(ends[0]);
  ::close(ends[1]);
}
