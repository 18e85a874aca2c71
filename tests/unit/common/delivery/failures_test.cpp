#include "common/delivery/failures.hpp"

#include <doctest/doctest.h>

#include "common/registry/api_error.hpp"

using namespace airgap;
using delivery::Failures;

namespace {

const registry::Repository k_app{"r.example", "team/app"};
const registry::Repository k_web{"r.example", "team/web"};
const registry::Repository k_other{"r.example", "other/app"};
const registry::Repository k_elsewhere{"q.example", "team/app"};

Failures::ImagesOf images(std::size_t image) {
  return [image] { return std::vector{image}; };
}

void fill(Failures& failures) {
  failures.push(k_app, images(0), [] { throw registry::QuotaExceeded("full"); });
}

}  // namespace

TEST_CASE("a failure ends the run, or with keep_going fails its images with their first cause") {
  Failures stopping(false);
  CHECK_THROWS_AS(stopping.run(images(0), [] { throw diag::NetworkError("down"); }), diag::NetworkError);

  Failures going(true);
  going.run(images(0), [] { throw diag::NetworkError("first"); });
  going.run(images(0), [] { throw diag::NetworkError("second"); });
  going.run(images(1), [] {});
  CHECK(going.all().size() == 1);
  CHECK(going.all().at(0).message() == "first");
  CHECK(going.all_failed({0}));
  CHECK_FALSE(going.all_failed({0, 1}));
}

TEST_CASE("a stop request is no failure of an image") {
  Failures failures(true);
  CHECK_THROWS_AS(failures.run(images(0), [] { throw diag::Interrupted(); }), diag::Interrupted);
  CHECK(failures.all().empty());
}

TEST_CASE("a project whose quota is used up gets nothing more, others do") {
  Failures failures(true);
  fill(failures);
  int pushed = 0;
  std::size_t image = 1;
  for (const auto& repository : {k_app, k_web, k_other, k_elsewhere})
    failures.push(repository, images(image++), [&] { ++pushed; });
  CHECK(pushed == 2);
  CHECK(failures.all().at(2).message() == "full");
  CHECK(failures.all_failed({0, 1, 2}));
  CHECK_FALSE(failures.has_failed(3));
  CHECK_FALSE(failures.has_failed(4));
}

TEST_CASE("what a full project holds is still read back") {
  Failures failures(true);
  fill(failures);
  bool read = false;
  failures.run(images(1), [&] { read = true; });
  CHECK(read);
}

TEST_CASE("without keep_going a full project ends the workers that come to it later, too") {
  Failures failures(false);
  CHECK_THROWS_AS(fill(failures), registry::QuotaExceeded);
  bool pushed = false;
  CHECK_THROWS_WITH(failures.push(k_web, images(1), [&] { pushed = true; }), "full");
  CHECK_FALSE(pushed);
}
