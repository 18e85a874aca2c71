#include "common/cli/events.hpp"

#include <cmath>

#include "common/diag/exit_code.hpp"
#include "common/json/writer.hpp"
#include "common/text/escape.hpp"

namespace airgap::cli {
namespace {

json::Writer event(std::string_view name) {
  json::Writer writer(json::Writer::Style::compact);
  writer.begin_object().member("event", name);
  return writer;
}

std::string finished(json::Writer& writer) {
  return writer.end_object().str();
}

}  // namespace

std::string json_text(std::string_view text) {
  constexpr std::size_t k_longest = std::size_t{64} * 1024;  // of any message
  return text::escape(text, k_longest);
}

std::string_view level_name(diag::LogLevel level) noexcept {
  switch (level) {
    case diag::LogLevel::trace:
      return "trace";
    case diag::LogLevel::debug:
      return "debug";
    case diag::LogLevel::info:
      return "info";
    case diag::LogLevel::warning:
      return "warning";
    case diag::LogLevel::error:
      break;
  }
  return "error";
}

std::string blob_event(const hash::Digest& digest, std::uint64_t size, std::string_view outcome) {
  json::Writer writer = event("blob");
  writer.member("digest", digest.str()).member("size", size).member("outcome", json_text(outcome));
  return finished(writer);
}

std::string image_event(std::string_view name, std::string_view outcome, std::uint64_t bytes,
                        double seconds) {
  json::Writer writer = event("image");
  writer.member("name", json_text(name)).member("outcome", json_text(outcome)).member("bytes", bytes);
  writer.member("seconds", std::isfinite(seconds) ? seconds : 0.0);
  return finished(writer);
}

std::string progress_event(const ProgressState& state) {
  json::Writer writer = event("progress");
  writer.member("activity", json_text(state.what)).member("unit", state.bytes ? "bytes" : "items");
  writer.member("done", state.done).member("total", state.total);
  writer.member("blobs_done", state.blobs_done).member("blobs_total", state.blobs_total);
  writer.member("per_second", static_cast<std::uint64_t>(state.rate));
  writer.key("seconds_left");
  if (state.left) {
    writer.value(state.left->count());
  } else {
    writer.null();
  }
  return finished(writer);
}

std::string log_event(diag::LogLevel level, std::string_view topic, std::string_view message) {
  json::Writer writer = event("log");
  writer.member("level", level_name(level))
      .member("topic", json_text(topic))
      .member("message", json_text(message));
  return finished(writer);
}

std::string error_event(const diag::Error& error, int status) {
  json::Writer writer = event("error");
  writer.member("kind", diag::kind_name(error.kind())).member("status", status);
  writer.member("message", json_text(error.message()));
  writer.key("context").begin_array();
  for (const std::string& context : error.context()) writer.value(json_text(context));
  writer.end_array().member("hint", json_text(error.hint()));
  return finished(writer);
}

}  // namespace airgap::cli
