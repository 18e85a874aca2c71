#include "bundle-format/archive/archive_relocation.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <random>
#include <set>

#include "common/io/stream.hpp"
#include "tests/unit/bundle-format/writer_fixture.hpp"

using namespace airgap;
using namespace airgap::bundle;
using airgap::bundle::testing::noise;

namespace {

struct Crash {};

/// A disk that loses power: what was not synced may be there, or not, block by block.
class CrashingBytes : public ArchiveBytes {
 public:
  CrashingBytes(std::string text, std::size_t operations)
      : m_text(std::move(text)), m_durable(m_text), m_left(operations) {}

  std::uint64_t size() const override { return m_text.size(); }
  std::size_t read_at(std::uint64_t offset, std::span<std::byte> out) const override {
    if (offset >= m_text.size()) return 0;
    const std::size_t count = std::min<std::size_t>(out.size(), m_text.size() - offset);
    std::memcpy(out.data(), m_text.data() + offset, count);
    return count;
  }
  void write_at(std::uint64_t offset, std::span<const std::byte> data) override {
    put(m_text, offset, io::text_of(data));
    for (std::size_t at = 0; at < data.size(); at += tar::k_block) {
      const auto block = data.subspan(at, std::min<std::size_t>(tar::k_block, data.size() - at));
      m_unsynced.emplace_back(offset + at, std::string(io::text_of(block)));
    }
    count();
  }
  void sync() override {
    count();
    m_durable = m_text;
    m_unsynced.clear();
  }
  const std::string& text() const { return m_text; }
  std::string after_power_loss(std::mt19937& random) const {
    std::string left = m_durable;
    for (const auto& [offset, block] : m_unsynced) {
      if (random() % 2 == 0) put(left, offset, block);
    }
    return left;
  }

 private:
  static void put(std::string& text, std::uint64_t offset, std::string_view data) {
    if (text.size() < offset + data.size()) text.resize(offset + data.size());
    text.replace(offset, data.size(), data);
  }
  void count() {
    if (m_left-- == 0) throw Crash{};
  }

  std::string m_text;
  std::string m_durable;
  std::vector<std::pair<std::uint64_t, std::string>> m_unsynced;
  std::size_t m_left;
};

/// Blobs by number; the number gives name, bytes and order.
struct World {
  std::vector<std::string> bytes;

  tar::Member member(std::size_t i) const { return {fmt::format("blobs/sha256/{:04}", i), bytes[i].size()}; }
};

/// One plan: a head of some length, then blobs.
struct Plan {
  std::vector<std::size_t> blobs;
  std::uint64_t mtime;
  tar::Layout layout;

  Plan(const World& world, std::vector<std::size_t> numbers, std::uint64_t head, std::uint64_t time)
      : blobs(std::move(numbers)), mtime(time) {
    std::vector<tar::Member> members{{"head", head}};
    for (const std::size_t i : blobs) members.push_back(world.member(i));
    layout = tar::lay_out(members);
  }
  const tar::Place& place(std::size_t position) const { return layout.places[position + 1]; }
};

std::string marker(std::size_t bytes) {
  return fmt::format("partial {:>504}", bytes);
}

/// How many bytes of each blob are there: all of them, some, or none.
using There = std::vector<std::uint64_t>;

std::string archive_of(const World& world, const Plan& plan, const There& there) {
  std::string text(plan.layout.end, '\0');
  text.replace(0, 4, "head");
  for (std::size_t i = 0; i < plan.blobs.size(); ++i) {
    const std::size_t number = plan.blobs[i];
    const bool whole = there[number] == world.bytes[number].size();
    if (there[number] == 0) continue;
    text.replace(plan.place(i).header, tar::k_block,
                 whole ? tar::header_bytes(world.member(number), plan.mtime) : marker(there[number]));
    text.replace(plan.place(i).data, there[number], world.bytes[number].substr(0, there[number]));
  }
  return text;
}

Relocation relocation_of(const World& world, const Plan& from, const Plan& to, const There& there) {
  Relocation relocation;
  for (std::size_t i = 0; i < from.blobs.size(); ++i) relocation.old_places.push_back(from.place(i));
  for (std::size_t i = 0; i < to.blobs.size(); ++i) {
    const std::size_t number = to.blobs[i];
    const auto old = std::ranges::find(from.blobs, number);
    if (old == from.blobs.end() || there[number] == 0) {
      relocation.absent.push_back(to.place(i));
      continue;
    }
    const bool whole = there[number] == world.bytes[number].size();
    relocation.kept.push_back(
        {from.place(static_cast<std::size_t>(old - from.blobs.begin())), to.place(i), there[number],
         whole ? tar::header_bytes(world.member(number), to.mtime) : marker(there[number])});
  }
  return relocation;
}

/// Throws off the test when a header stands before bytes that are not its blob's.
void check_headers_tell_the_truth(const World& world, const Plan& plan, const std::string& text) {
  for (std::size_t i = 0; i < plan.blobs.size(); ++i) {
    const tar::Place& place = plan.place(i);
    const std::string& bytes = world.bytes[plan.blobs[i]];
    if (text.size() < place.data) continue;
    if (text.substr(place.header, tar::k_block) != tar::header_bytes(world.member(plan.blobs[i]), plan.mtime))
      continue;
    REQUIRE(text.substr(place.data, bytes.size()) == bytes);
  }
}

void check_result(const World& world, const Plan& from, const Plan& to, const There& there,
                  const std::string& text) {
  for (std::size_t i = 0; i < to.blobs.size(); ++i) {
    const tar::Place& place = to.place(i);
    const std::size_t number = to.blobs[i];
    const std::string slot =
        place.data <= text.size() ? text.substr(place.header, tar::k_block) : std::string(tar::k_block, '\0');
    if (there[number] == 0 || std::ranges::find(from.blobs, number) == from.blobs.end()) {
      REQUIRE(slot == std::string(tar::k_block, '\0'));
      continue;
    }
    const bool whole = there[number] == world.bytes[number].size();
    REQUIRE(slot == (whole ? tar::header_bytes(world.member(number), to.mtime) : marker(there[number])));
    REQUIRE(text.substr(place.data, there[number]) == world.bytes[number].substr(0, there[number]));
    if (!whole) continue;
    const std::uint64_t end = place.data + place.size;
    REQUIRE(text.substr(end, place.end() - end) == std::string(place.end() - end, '\0'));
  }
}

struct Case {
  World world;
  There there;
  std::vector<std::size_t> old_blobs;
  std::vector<std::size_t> new_blobs;
};

Case random_case(std::mt19937& random) {
  Case made;
  const std::size_t count = 1 + random() % 8;
  for (std::size_t i = 0; i < count; ++i) {
    made.world.bytes.push_back(noise(1 + random() % 3000, static_cast<unsigned>(random())));
    const std::size_t size = made.world.bytes[i].size();
    made.there.push_back(random() % 4 == 0 ? 0 : random() % 4 == 0 ? 1 + random() % size : size);
    if (random() % 4 != 0) made.old_blobs.push_back(i);
    if (random() % 4 != 0) made.new_blobs.push_back(i);
  }
  return made;
}

}  // namespace

TEST_CASE(
    "after a relocation every kept blob stands where the new plan wants it, and all other slots are empty") {
  std::mt19937 random(1);
  for (int round = 0; round < 3000; ++round) {
    const Case made = random_case(random);
    const Plan from(made.world, made.old_blobs, random() % 3000, 1);
    const Plan to(made.world, made.new_blobs, random() % 3000, 2);
    CrashingBytes disk(archive_of(made.world, from, made.there), 1'000'000);
    relocate(disk, relocation_of(made.world, from, to, made.there));
    check_result(made.world, from, to, made.there, disk.text());
    REQUIRE(disk.text().substr(0, 4) != "head");
  }
}

TEST_CASE(
    "a power loss at any step leaves no header before wrong bytes, and no head once anything has moved") {
  std::mt19937 random(2);
  for (int round = 0; round < 150; ++round) {
    const Case made = random_case(random);
    const Plan from(made.world, made.old_blobs, random() % 3000, 1);
    const Plan to(made.world, made.new_blobs, random() % 3000, 2);
    const std::string before = archive_of(made.world, from, made.there);
    for (std::size_t steps = 0;; ++steps) {
      CrashingBytes disk(before, steps);
      bool crashed = false;
      try {
        relocate(disk, relocation_of(made.world, from, to, made.there));
      } catch (const Crash&) {
        crashed = true;
      }
      const std::string left = disk.after_power_loss(random);
      check_headers_tell_the_truth(made.world, from, left);
      check_headers_tell_the_truth(made.world, to, left);
      if (!crashed) break;
    }
  }
}

TEST_CASE("a kill at any step leaves every whole blob but one where it was or where it goes") {
  std::mt19937 random(3);
  for (int round = 0; round < 150; ++round) {
    const Case made = random_case(random);
    const Plan from(made.world, made.old_blobs, random() % 3000, 1);
    const Plan to(made.world, made.new_blobs, random() % 3000, 2);
    const Relocation relocation = relocation_of(made.world, from, to, made.there);
    for (std::size_t steps = 0;; ++steps) {
      CrashingBytes disk(archive_of(made.world, from, made.there), steps);
      bool crashed = false;
      try {
        relocate(disk, relocation);
      } catch (const Crash&) {
        crashed = true;
      }
      int lost = 0;
      for (const KeptBlob& blob : relocation.kept) {
        if (blob.bytes != blob.to.size) continue;
        const auto lies_at = [&](const tar::Place& place) {
          const auto bytes =
              place.data < disk.text().size() ? disk.text().substr(place.data, place.size) : "";
          return std::ranges::find(made.world.bytes, bytes) != made.world.bytes.end();
        };
        if (!lies_at(blob.from) && !lies_at(blob.to)) ++lost;
      }
      REQUIRE(lost <= 1);
      if (!crashed) break;
    }
  }
}

TEST_CASE("a stop request ends a relocation between two chunks") {
  World world;
  for (unsigned i = 0; i < 3; ++i) world.bytes.push_back(noise(2'500'000, i));
  const There there{2'500'000, 2'500'000, 2'500'000};
  const Plan from(world, {0, 1, 2}, 100, 1);
  const Plan to(world, {0, 1, 2}, 70'000, 2);
  CrashingBytes disk(archive_of(world, from, there), 1'000'000);
  std::stop_source stop;
  stop.request_stop();
  CHECK_THROWS_AS(relocate(disk, relocation_of(world, from, to, there), stop.get_token()), diag::Interrupted);
}

TEST_CASE("blobs larger than the moving window survive moves shorter than themselves") {
  World world;
  for (unsigned i = 0; i < 3; ++i) world.bytes.push_back(noise(2'500'000 + i * 777, i));
  const There there{world.bytes[0].size(), world.bytes[1].size(), world.bytes[2].size()};
  for (const auto& [old_head, new_head] :
       {std::pair{100U, 70'000U}, std::pair{70'000U, 100U}, std::pair{5U, 3'000'000U}}) {
    const Plan from(world, {0, 1, 2}, old_head, 1);
    const Plan to(world, {0, 1, 2}, new_head, 2);
    CrashingBytes disk(archive_of(world, from, there), 1'000'000);
    relocate(disk, relocation_of(world, from, to, there));
    check_result(world, from, to, there, disk.text());
  }
}

TEST_CASE(
    "an old header that would be right in the new plan does not survive there with another blob's bytes") {
  World world;
  world.bytes = {noise(1000, 1), noise(1000, 2)};
  const There there{0, 0};
  const Plan from(world, {0}, 10, 7);
  const Plan to(world, {1}, 10, 7);
  std::string text = archive_of(world, from, there);
  text.replace(to.place(0).header, tar::k_block, tar::header_bytes(world.member(1), 7));
  CrashingBytes disk(text, 1'000'000);
  relocate(disk, relocation_of(world, from, to, there));
  check_result(world, from, to, there, disk.text());
}
