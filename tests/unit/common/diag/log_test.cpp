#include "common/diag/log.hpp"

#include <doctest/doctest.h>

#include <vector>

#include "common/diag/error.hpp"

namespace airgap::diag {
namespace {

class RecordingSink : public LogSink {
 public:
  void line(LogLevel, std::string_view topic, std::string_view text) override {
    lines.push_back(std::string(topic) + ": " + std::string(text));
  }
  std::vector<std::string> lines;
};

// Leaves the process's log as it was.
struct RestoreLog {
  ~RestoreLog() { configure_log(nullptr, ""); }
};

TEST_CASE("a topic is shown in the depth that was asked for, all others from info on") {
  const RestoreLog restore;
  RecordingSink sink;
  configure_log(&sink, "http:trace,plan:error");
  log("http", LogLevel::trace, "headers");
  log("plan", LogLevel::warning, "hidden");
  log("plan", LogLevel::error, "shown");
  log("tar", LogLevel::debug, "hidden");
  log("tar", LogLevel::info, "shown");
  CHECK(sink.lines == std::vector<std::string>{"http: headers", "plan: shown", "tar: shown"});
}

TEST_CASE("a level alone is for every topic") {
  const RestoreLog restore;
  RecordingSink sink;
  configure_log(&sink, "debug,http:warning");
  CHECK(log_enabled("tar", LogLevel::debug));
  CHECK_FALSE(log_enabled("tar", LogLevel::trace));
  CHECK_FALSE(log_enabled("http", LogLevel::info));
}

TEST_CASE("a level that does not exist is a usage error and changes nothing") {
  const RestoreLog restore;
  RecordingSink sink;
  configure_log(&sink, "");
  CHECK_THROWS_WITH_AS(configure_log(nullptr, "http:loud"), doctest::Contains("unknown log level 'loud'"),
                       UsageError);
  log("tar", LogLevel::info, "still here");
  CHECK(sink.lines.size() == 1);
}

}  // namespace
}  // namespace airgap::diag
