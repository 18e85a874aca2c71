#include "bundle-format/verify.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <memory>
#include <string>
#include <vector>

#include "bundle-format/bundle_reader.hpp"
#include "bundle-format/commands/commands.hpp"
#include "bundle-format/commands/requirement.hpp"
#include "common/diag/exit_code.hpp"
#include "common/json/writer.hpp"
#include "common/text/human_size.hpp"

namespace airgap::bundle {
namespace {

struct Options {
  std::vector<std::string> bundles;
  std::size_t jobs = 2;
};

std::string as_json(const VerifyReport& report) {
  json::Writer writer(json::Writer::Style::compact);
  writer.begin_object().member("event", "verify").member("files", report.files).member("bytes", report.bytes);
  if (report.info) {
    writer.member("requiredBlobs", report.info->requires_.size());
    writer.member("requiredBytes", report.info->required_bytes());
  }
  if (!report.part_of.empty()) writer.member("volume", report.part_of);
  writer.key("findings").begin_array();
  for (const Finding& finding : report.findings) {
    writer.begin_object().member("file", finding.file).member("kind", diag::kind_name(finding.kind));
    writer.member("problem", finding.problem).member("hint", finding.hint).key("images").begin_array();
    for (const std::string& image : finding.images) writer.value(image);
    writer.end_array().end_object();
  }
  writer.end_array().key("damaged").begin_array();
  for (const std::string& image : report.damaged) writer.value(image);
  writer.end_array().end_object();
  return writer.str();
}

// Damage outweighs what merely does not belong there.
int status_of(const VerifyReport& report) {
  int status = 0;
  for (const Finding& finding : report.findings) {
    if (finding.kind == diag::ErrorKind::integrity) return diag::exit_code(finding.kind);
    status = diag::exit_code(finding.kind);
  }
  return status;
}

void print(const VerifyReport& report, const std::vector<std::string>& bundles, cli::Console& console) {
  const std::string bundle =
      fmt::format("{} {}", fmt::join(bundles, ", "), bundles.size() == 1 ? "is" : "are");
  for (const Finding& finding : report.findings) {
    console.result(fmt::format("{}: {}", finding.file, finding.problem));
    if (!finding.images.empty()) console.result(fmt::format("  touches {}", fmt::join(finding.images, ", ")));
    if (!finding.hint.empty()) console.result(fmt::format("  hint: {}", finding.hint));
  }
  if (!report.findings.empty()) {
    const bool damaged = status_of(report) == diag::exit_code(diag::ErrorKind::integrity);
    if (!report.part_of.empty()) {
      console.result(fmt::format("{} {}: {}, {}; verify all volumes to see which images that touches", bundle,
                                 damaged ? "damaged" : "refused", report.part_of,
                                 text::counted(report.findings.size(), "finding")));
      return;
    }
    console.result(fmt::format("{} {}: {}, {} touched", bundle, damaged ? "damaged" : "refused",
                               text::counted(report.findings.size(), "finding"),
                               text::counted(report.damaged.size(), "image")));
    return;
  }
  if (!report.part_of.empty()) {
    console.result(fmt::format("{} whole: {}, {}, {}; the others are not looked at", bundle, report.part_of,
                               text::counted(report.files, "file"), text::human_size(report.bytes)));
    return;
  }
  console.result(fmt::format("{} whole: {}, {}, {}", bundle,
                             text::counted(report.info ? report.info->images.size() : 0, "image"),
                             text::counted(report.files, "file"), text::human_size(report.bytes)));
  if (report.info && !report.info->requires_.empty()) console.result(requirement(*report.info));
}

}  // namespace

void add_verify(cli::App& app) {
  cli::Command& command = app.command("verify", "Check every file and every reference of a bundle");
  const auto options = std::make_shared<Options>();
  command.positionals(
      "BUNDLE", options->bundles, 1,
      "a directory, an archive, volumes or folders that hold them, or a tree that skopeo sync wrote");
  command.option("--jobs", options->jobs, "N", "files read at once");
  command.example("airgap-import verify /media/usb/bundle.tar",
                  "all findings, and the images that each one touches");
  command.example("airgap-import verify /media/disc2/bundle.002.tar", "this one of several volumes alone");
  command.runs([options](cli::Context& context) {
    const BundleInfo info = [&]() -> BundleInfo {
      try {
        return read_info(options->bundles);
      } catch (const diag::IntegrityError&) {
        return {};  // the verification says what is wrong; here it is only for the progress
      } catch (const diag::UnsafeError&) {
        return {};
      }
    }();
    context.console.begin_count("verifying", info.stored_bytes(), true);
    const VerifyReport report = verify_bundle(options->bundles, options->jobs, context.stop,
                                              [&](std::uint64_t bytes) { context.console.count(bytes); });
    context.console.end_count();
    context.console.event(as_json(report));
    print(report, options->bundles, context.console);
    return status_of(report);
  });
}

}  // namespace airgap::bundle
