#include "common/diag/error.hpp"

#include <doctest/doctest.h>

#include "common/diag/exit_code.hpp"

namespace airgap::diag {
namespace {

TEST_CASE("every kind has the exit status that the manual promises") {
  struct Row {
    ErrorKind kind;
    int status;
    const char* name;
  };
  constexpr Row k_table[] = {
      {ErrorKind::internal, 1, "internal"},         {ErrorKind::usage, 2, "usage"},
      {ErrorKind::network, 3, "network"},           {ErrorKind::credentials, 4, "credentials"},
      {ErrorKind::integrity, 5, "integrity"},       {ErrorKind::unsafe, 6, "unsafe"},
      {ErrorKind::storage, 7, "storage"},           {ErrorKind::busy, 8, "busy"},
      {ErrorKind::interrupted, 130, "interrupted"},
  };
  for (const auto& [kind, status, name] : k_table) {
    CHECK(exit_code(kind) == status);
    CHECK(kind_name(kind) == name);
  }
}

TEST_CASE("an error's type says its kind") {
  CHECK(UsageError("x").kind() == ErrorKind::usage);
  CHECK(NetworkError("x").kind() == ErrorKind::network);
  CHECK(FormatError("x").kind() == ErrorKind::unsafe);
  CHECK(Interrupted().kind() == ErrorKind::interrupted);
  CHECK_THROWS_AS(throw FormatError("x"), UnsafeError);
}

TEST_CASE("each layer adds what it was doing, innermost first, and repeated neighbours once") {
  const auto failing = [] {
    with_context([] { return "pushing app"; },
                 [] {
                   with_context([] { return "copying blob"; },
                                [] {
                                  with_context(
                                      [] { return "copying blob"; },
                                      []() -> void { throw IntegrityError("wrong bytes", "try again"); });
                                });
                 });
  };
  try {
    failing();
    FAIL("no error");
  } catch (const Error& error) {
    CHECK(error.message() == "wrong bytes");
    CHECK(std::string(error.what()) == "wrong bytes");
    CHECK(error.hint() == "try again");
    CHECK(error.context() == std::vector<std::string>{"copying blob", "pushing app"});
    CHECK(error.full_message() == "wrong bytes (while copying blob, while pushing app)");
  }
}

TEST_CASE("context keeps the type of the error and costs nothing on success") {
  CHECK_THROWS_AS(with_context([] { return "reading"; }, []() -> int { throw BusyError("held"); }),
                  BusyError);
  bool described = false;
  const int result = with_context(
      [&] {
        described = true;
        return std::string();
      },
      [] { return 7; });
  CHECK(result == 7);
  CHECK_FALSE(described);
}

}  // namespace
}  // namespace airgap::diag
