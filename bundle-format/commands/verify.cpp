#include "bundle-format/verify.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <memory>
#include <string>
#include <vector>

#include "bundle-format/bundle_reader.hpp"
#include "bundle-format/commands/check_outputs.hpp"
#include "bundle-format/commands/commands.hpp"
#include "bundle-format/commands/requirement.hpp"
#include "common/cli/report.hpp"
#include "common/diag/exit_code.hpp"
#include "common/json/writer.hpp"
#include "common/text/escape.hpp"
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
  writer.end_array().member("allTouched", report.all_touched).end_object();
  return writer.str();
}

/// "b.tar is damaged: 2 findings, 1 image touched"
std::string verdict(const VerifyReport& report, const std::string& bundle) {
  const bool unsafe = gravest(report.findings).kind == diag::ErrorKind::unsafe;
  const std::string found = fmt::format("{} {}: ", bundle, unsafe ? "refused" : "damaged");
  const std::string findings = text::counted(report.findings.size(), "finding");
  if (!report.part_of.empty())
    return fmt::format("{}{}, {}; verify all volumes to see which images that touches", found, report.part_of,
                       findings);
  if (!report.info)
    return fmt::format("{}{}; what images it holds cannot be read, and all of them are touched", found,
                       findings);
  return fmt::format("{}{}, {} touched", found, findings, text::counted(report.damaged.size(), "image"));
}

void print(const VerifyReport& report, const std::string& bundle, cli::Console& console) {
  for (const Finding& finding : report.findings) {
    console.result(fmt::format("{}: {}", finding.file, finding.problem));
    if (!finding.images.empty()) console.result(fmt::format("  touches {}", fmt::join(finding.images, ", ")));
    if (!finding.hint.empty()) console.result(fmt::format("  hint: {}", finding.hint));
  }
  if (!report.findings.empty()) {
    console.result(verdict(report, bundle));
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
    check_outputs(context, options->bundles);
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
    const std::string bundle = fmt::format("{}", fmt::join(options->bundles, ", "));
    const std::string subject = text::escape(bundle, 4096) + (options->bundles.size() == 1 ? " is" : " are");
    print(report, subject, context.console);
    cli::RunReport done;
    done.command = "verify";
    done.bundle = bundle;
    if (!report.findings.empty()) {
      const diag::ErrorKind kind = gravest(report.findings).kind;
      done.status = diag::exit_code(kind);
      done.error = verdict(report, subject);
      done.error_kind = diag::kind_name(kind);
    }
    cli::publish(done, context);
    return done.status;
  });
}

}  // namespace airgap::bundle
