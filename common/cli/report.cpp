#include "common/cli/report.hpp"

#include <cmath>

#include "common/cli/events.hpp"
#include "common/cli/interrupt.hpp"
#include "common/cli/report_file.hpp"
#include "common/json/writer.hpp"

namespace airgap::cli {
namespace {

double seconds_of(double value) {
  return std::isfinite(value) ? value : 0.0;
}

void write_image(json::Writer& writer, const ImageOutcome& image) {
  writer.begin_object();
  writer.member("name", json_text(image.name)).member("digest", json_text(image.digest));
  writer.member("target", json_text(image.target)).member("bytes", image.bytes);
  writer.member("outcome", json_text(image.outcome)).member("seconds", seconds_of(image.seconds));
  writer.member("error", json_text(image.error)).member("error_kind", json_text(image.error_kind));
  writer.member("hint", json_text(image.hint));
  writer.key("notes").begin_array();
  for (const std::string& note : image.notes) writer.value(json_text(note));
  writer.end_array().end_object();
}

void write_members(json::Writer& writer, const RunReport& report, const Context& context) {
  writer.member("program", context.program).member("version", context.version);
  writer.member("command", json_text(report.command)).member("status", report.status);
  writer.member("error", json_text(report.error)).member("error_kind", json_text(report.error_kind));
  writer.member("bundle", json_text(report.bundle));
  writer.key("files").begin_array();
  for (const std::string& file : report.files) writer.value(json_text(file));
  writer.end_array().member("volumes", report.volumes).member("target", json_text(report.target));
  writer.member("bytes_moved", report.bytes_moved).member("bytes_present", report.bytes_present);
  writer.member("blobs_moved", report.blobs_moved).member("seconds", seconds_of(report.seconds));
  writer.key("images").begin_array();
  for (const ImageOutcome& image : report.images) write_image(writer, image);
  writer.end_array();
}

void send_done(const RunReport& report, const Context& context) {
  if (!context.console.json()) return;
  json::Writer writer(json::Writer::Style::compact);
  writer.begin_object().member("event", "done");
  write_members(writer, report, context);
  context.console.event(writer.end_object().str());
}

}  // namespace

std::string report_json(const RunReport& report, const Context& context) {
  json::Writer writer(json::Writer::Style::pretty);
  writer.begin_object().member("report_format", 1);
  write_members(writer, report, context);
  return writer.end_object().str();
}

void publish(const RunReport& report, Context& context) {
  RunReport final_report = report;
  if (report.status == diag::exit_code(diag::ErrorKind::interrupted)) {
    final_report.status = exit_status(diag::ErrorKind::interrupted);
  }
  context.published = true;
  try {
    if (!context.report_file.empty())
      write_report_file(context.report_file, report_json(final_report, context));
  } catch (const diag::Error& error) {
    if (final_report.status == 0) final_report.status = diag::exit_code(error.kind());
    send_done(final_report, context);
    throw;
  }
  send_done(final_report, context);
}

}  // namespace airgap::cli
