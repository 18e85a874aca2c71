#include "exporter/medium_proof.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "common/diag/error.hpp"
#include "common/diag/log.hpp"
#include "common/json/writer.hpp"
#include "common/text/human_size.hpp"
#include "common/text/listed.hpp"

namespace airgap::exporter {
namespace {

constexpr std::size_t k_shown_findings = 5;
constexpr auto k_hint =
    "do not trust this medium: it fails, or claims more room than it has; write to another one. If that "
    "comes back wrong as well, suspect the reader, the cable and this machine's memory. The bundle is "
    "unfinished again, and a run with the same --output brings what is damaged anew; where too little of it "
    "is left to tell what it was, with --overwrite";

std::string as_event(const bundle::ReadBack& read, bundle::MediaCheck depth) {
  json::Writer writer(json::Writer::Style::compact);
  writer.begin_object()
      .member("event", "medium")
      .member("depth", depth == bundle::MediaCheck::full ? "full" : "sample");
  writer.member("files", read.files).member("bytes", read.bytes).key("damaged").begin_array();
  for (const bundle::Finding& finding : read.findings) writer.value(finding.file);
  writer.end_array().key("images").begin_array();
  for (const std::string& image : read.images) writer.value(image);
  writer.end_array().key("unsteady").begin_array();
  for (const std::string& file : read.unsteady) writer.value(file);
  writer.end_array().end_object();
  return writer.str();
}

std::string damaged_files(const bundle::ReadBack& read) {
  std::set<std::string> files;
  for (const bundle::Finding& finding : read.findings) files.insert(finding.file);
  return text::counted(files.size(), "file") + (files.size() == 1 ? " is" : " are");
}

std::string sample_of(const ExportPlan& plan) {
  return "a sample of " + text::human_size(plan.contents.info.stored_bytes());
}

/// What is damaged where bundle.json is.
std::vector<std::string> all_names(const ExportPlan& plan) {
  std::vector<std::string> names;
  for (const bundle::Image& image : plan.contents.info.images) names.push_back(image.name.str());
  return names;
}

/// The medium does not answer, or not with what was written: nobody is to believe the bundle.
[[noreturn]] void retract(bundle::BundleWriter& sealed, const std::vector<hash::Digest>& damaged,
                          diag::StorageError error) {
  try {
    sealed.retract(damaged);
  } catch (const diag::Error& failed) {
    error = diag::StorageError(error.message() + "; and it still looks finished: " + failed.message(),
                               "remove it, and do not trust this medium");
  }
  throw error;
}

}  // namespace

std::string proven_of(const io::Medium& medium) {
  if (medium.in_memory())
    return medium.file_system +
           " keeps files in memory alone, which is what was read: of a medium that proves nothing";
  return medium.built_in ? "the medium holds what was written" : "the medium is safe to remove";
}

void prove_medium(bundle::BundleWriter& sealed, const std::string& path, const io::Medium& medium,
                  bundle::MediaCheck depth, const ExportPlan& plan, cli::Context& context) {
  cli::Console& console = context.console;
  const std::uint64_t all = depth == bundle::MediaCheck::full ? plan.contents.info.stored_bytes() : 0;
  console.begin_count("reading back", all, true);
  bundle::ReadBack read;
  try {
    read = bundle::read_back(sealed, depth, plan.fetch, context.stop,
                             [&](std::uint64_t bytes) { console.count(bytes); });
  } catch (const diag::Interrupted&) {
    throw;  // it is whole as far as anybody knows
  } catch (const diag::Error& error) {
    console.end_count();
    retract(sealed, {}, diag::StorageError(path + " cannot be read back: " + error.message(), k_hint));
  }
  console.end_count();
  if (!read.findings.empty() && read.images.empty()) read.images = all_names(plan);
  console.event(as_event(read, depth));
  if (!read.unsteady.empty())
    diag::log(
        "medium", diag::LogLevel::warning,
        fmt::format("{} came back from the medium wrong once, and right the second time: the reader, the "
                    "cable or this machine's memory is not to be trusted",
                    text::listed(read.unsteady)));
  if (read.findings.empty()) {
    console.status(fmt::format("{}: read back {}{}, {} in {}: {}", path,
                               depth == bundle::MediaCheck::full ? "whole" : sample_of(plan),
                               medium.in_memory() ? "" : " from the medium", text::human_size(read.bytes),
                               text::counted(read.files, "file"), proven_of(medium)));
    return;
  }
  for (std::size_t i = 0; i < std::min(k_shown_findings, read.findings.size()); ++i)
    console.status(fmt::format("{}: {}", read.findings[i].file, read.findings[i].problem));
  retract(sealed, read.damaged,
          diag::StorageError(
              fmt::format("the medium does not hold what was written to {}: {} damaged, {} first ({}); it "
                          "touches {}",
                          path, damaged_files(read), read.findings.front().file,
                          read.findings.front().problem, text::listed(read.images)),
              k_hint));
}

}  // namespace airgap::exporter
