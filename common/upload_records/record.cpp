#include "common/upload_records/record.hpp"

#include "common/diag/error.hpp"
#include "common/json/reader.hpp"
#include "common/json/writer.hpp"

namespace airgap::upload_records {
namespace {

constexpr std::uint64_t k_version = 1;

bool is_of(const json::Node& record, const registry::UploadKey& key) {
  return record.at("version").uint64() == k_version && record.at("registry").string() == key.origin &&
         record.at("repository").string() == key.repository &&
         record.at("digest").string() == key.digest.str() && record.at("size").uint64() == key.size;
}

bool is_recent(std::int64_t seconds, Time now) {
  const std::int64_t then = now.time_since_epoch().count();
  return seconds <= then && then - seconds <= std::chrono::seconds(k_longest_kept).count();
}

}  // namespace

std::string write_record(const registry::UploadKey& key, const registry::UploadState& state, Time now) {
  json::Writer writer;
  writer.begin_object()
      .member("version", k_version)
      .member("registry", key.origin)
      .member("repository", key.repository)
      .member("digest", key.digest.str())
      .member("size", key.size)
      .member("location", state.location)
      .member("taken", state.taken)
      .member("min_chunk", state.min_chunk)
      .member("time", std::int64_t{now.time_since_epoch().count()})
      .end_object();
  return writer.str();
}

std::optional<registry::UploadState> read_record(std::string_view text, const registry::UploadKey& key,
                                                 Time now) {
  if (text.size() > k_max_record) return std::nullopt;
  try {
    const auto document = json::Document::parse(text, {.bytes = k_max_record, .depth = 2, .values = 64});
    const json::Node record = document.root();
    registry::UploadState state{.location = record.at("location").string(),
                                .taken = record.at("taken").uint64(),
                                .min_chunk = record.at("min_chunk").uint64()};
    if (!is_of(record, key) || !is_recent(record.at("time").int64(), now) || state.taken > key.size) {
      return std::nullopt;
    }
    return state;
  } catch (const diag::Error&) {  // damaged, and its words are nobody's business
    return std::nullopt;
  }
}

}  // namespace airgap::upload_records
