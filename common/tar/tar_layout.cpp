#include "common/tar/tar_layout.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <numeric>

#include "common/diag/error.hpp"

namespace airgap::tar {
namespace {

/// A field of a ustar header: POSIX.1-2017, pax, "ustar Interchange Format".
struct Field {
  std::size_t offset;
  std::size_t length;
};
constexpr Field k_name{0, 100}, k_mode{100, 8}, k_owner{108, 8}, k_group{116, 8}, k_size{124, 12},
    k_mtime{136, 12};
constexpr Field k_checksum{148, 8}, k_type{156, 1}, k_magic{257, 8};
constexpr Field k_owner_name{265, 32}, k_group_name{297, 32}, k_device_major{329, 8}, k_device_minor{337, 8};

void put_text(std::string& block, Field field, std::string_view text) {
  block.replace(field.offset, text.size(), text);
}

/// Octal digits that fill the field but for the NUL at its end.
void put_number(std::string& block, Field field, std::uint64_t number) {
  put_text(block, field, fmt::format("{:0{}o}", number, field.length - 1));
}

/// POSIX: of all bytes of the header, with blanks for the sum itself.
unsigned sum_of(std::string block) {
  put_text(block, k_checksum, "        ");
  return std::accumulate(block.begin(), block.end(), 0U,
                         [](unsigned total, char c) { return total + static_cast<unsigned char>(c); });
}

/// What the field of the check sum has.
std::string stated_sum(const std::string& block) {
  return fmt::format("{:06o}", sum_of(block)) + std::string("\0 ", 2);
}

std::string ustar_block(std::string_view name, std::uint64_t size, std::uint64_t mtime, char type) {
  std::string block(k_block, '\0');
  put_text(block, k_name, name);
  put_number(block, k_mode, 0644);
  put_number(block, k_owner, 0);
  put_number(block, k_group, 0);
  put_number(block, k_size, size);
  put_number(block, k_mtime, mtime);
  put_text(block, k_type, std::string_view(&type, 1));
  put_text(block, k_magic, std::string_view("ustar\00000", 8));
  put_text(block, k_owner_name, "root");
  put_text(block, k_group_name, "root");
  put_number(block, k_device_major, 0);
  put_number(block, k_device_minor, 0);
  put_text(block, k_checksum, stated_sum(block));
  return block;
}

/// "17 path=a/b/c\n": the number counts the whole record, itself included.
std::string pax_record(std::string_view keyword, std::string_view value) {
  const std::size_t rest = keyword.size() + value.size() + 3;  // blank, '=', newline
  std::size_t total = rest + 1;
  while (fmt::formatted_size("{}", total) + rest != total) ++total;
  return fmt::format("{} {}={}\n", total, keyword, value);
}

/// Nothing when ustar holds name and size.
std::string pax_records(const Member& member) {
  std::string records;
  if (member.name.size() > k_max_ustar_name) records += pax_record("path", member.name);
  if (member.size > k_max_ustar_size) records += pax_record("size", fmt::format("{}", member.size));
  return records;
}

/// The number in a field that put_number() wrote; nothing for any other form.
std::optional<std::uint64_t> number_in(std::string_view block, Field field) {
  std::uint64_t number = 0;
  for (const char c : block.substr(field.offset, field.length - 1)) {
    if (c < '0' || c > '7') return std::nullopt;
    number = number * 8 + static_cast<std::uint64_t>(c - '0');
  }
  return number;
}

}  // namespace

std::optional<Header> parse_header(std::string_view block) {
  if (block.size() != k_block) return std::nullopt;
  const auto size = number_in(block, k_size);
  const auto mtime = number_in(block, k_mtime);
  const std::string_view name = block.substr(k_name.offset, k_name.length);
  if (!size || !mtime || name.front() == '\0') return std::nullopt;
  Header header{{std::string(name.substr(0, name.find('\0'))), *size}, *mtime};
  if (header_bytes(header.member, header.mtime) != block) return std::nullopt;
  return header;
}

bool has_right_sum(std::string_view block) {
  if (block.size() != k_block) return false;
  return block.substr(k_checksum.offset, k_checksum.length) == stated_sum(std::string(block));
}

std::string header_bytes(const Member& member, std::uint64_t mtime) {
  if (mtime > k_max_mtime) throw diag::InternalError(fmt::format("time {} does not fit a tar header", mtime));
  if (member.name.empty() || member.name.find('\0') != std::string::npos)
    throw diag::InternalError("a tar member needs a name without NUL");
  std::string header;
  if (std::string records = pax_records(member); !records.empty()) {
    header = ustar_block("PaxHeader", records.size(), mtime, 'x');
    records.resize(padded(records.size()), '\0');
    header += records;
  }
  // The record overrides the field; zero there is what GNU tar and Python write as well.
  const std::uint64_t size = member.size > k_max_ustar_size ? 0 : member.size;
  return header + ustar_block(member.name.substr(0, k_max_ustar_name), size, mtime, '0');
}

Layout lay_out(const std::vector<Member>& members) {
  constexpr std::uint64_t k_limit = std::numeric_limits<std::int64_t>::max() / 2;
  Layout layout;
  layout.places.reserve(members.size());
  for (const Member& member : members) {
    const std::uint64_t records = pax_records(member).size();
    Place place;
    place.header = layout.end;
    place.header_size = k_block + (records == 0 ? 0 : k_block + padded(records));
    place.data = place.header + place.header_size;
    place.size = member.size;
    if (member.size > k_limit || place.end() > k_limit)
      throw diag::InternalError(
          fmt::format("an archive with {} of {} bytes is too long", member.name, member.size));
    layout.end = place.end();
    layout.places.push_back(place);
  }
  layout.end += k_end_size;
  return layout;
}

}  // namespace airgap::tar
