#include <fmt/format.h>

#include <chrono>

#include "bundle-format/metadata/bundle_json.hpp"
#include "common/diag/error.hpp"
#include "common/text/escape.hpp"

namespace airgap::bundle {
namespace {

constexpr std::string_view k_form = "dddd-dd-ddTdd:dd:ddZ";  // d: a digit

bool has_form(std::string_view text) {
  if (text.size() != k_form.size()) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool digit = text[i] >= '0' && text[i] <= '9';
    if (k_form[i] == 'd' ? !digit : text[i] != k_form[i]) return false;
  }
  return true;
}

unsigned number(std::string_view digits) {
  unsigned value = 0;
  for (const char c : digits) value = value * 10 + static_cast<unsigned>(c - '0');
  return value;
}

}  // namespace

std::uint64_t created_seconds(std::string_view created) {
  using namespace std::chrono;
  constexpr unsigned k_first_year = 1970;
  constexpr unsigned k_last_year = 2241;  // tar::k_max_mtime is in March 2242
  const auto refuse = [&] {
    return diag::FormatError(
        fmt::format("'{}' is not a time of the form 2026-01-31T12:00:00Z", text::escape(created)));
  };
  if (!has_form(created)) throw refuse();
  const unsigned in_year = number(created.substr(0, 4));
  const year_month_day date(year(static_cast<int>(in_year)), month(number(created.substr(5, 2))),
                            day(number(created.substr(8, 2))));
  const unsigned in_day = number(created.substr(11, 2));
  const unsigned in_hour = number(created.substr(14, 2));
  const unsigned in_minute = number(created.substr(17, 2));
  if (!date.ok() || in_year < k_first_year || in_year > k_last_year || in_day > 23 || in_hour > 59 ||
      in_minute > 59)
    throw refuse();
  const auto time = sys_days(date) + hours(in_day) + minutes(in_hour) + seconds(in_minute);
  return static_cast<std::uint64_t>(duration_cast<seconds>(time.time_since_epoch()).count());
}

}  // namespace airgap::bundle
