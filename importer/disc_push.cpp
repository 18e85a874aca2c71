#include "importer/disc_push.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "bundle-format/volumes/volumes_in_turn.hpp"
#include "common/delivery/blob_push.hpp"
#include "common/task/for_each.hpp"
#include "common/text/listed.hpp"
#include "importer/disc_question.hpp"
#include "importer/named_damage.hpp"
#include "importer/passing_blob.hpp"

namespace airgap::importer {
namespace {

using bundle::VolumesAtHand;

/// A blob that is still to be sent.
struct Pending {
  const delivery::BlobStep* step = nullptr;
  std::size_t index = 0;  ///< in the order of the archive
};

/// With what is wrong with a disc that is there, and the images that are lost without it.
std::string missing(std::size_t number, const VolumesAtHand& volumes,
                    const std::vector<std::string>& images) {
  const std::string instead =
      volumes.unusable().empty() ? "" : fmt::format(" ({})", fmt::join(volumes.unusable(), "; "));
  return fmt::format(
      "volume {} of {} is missing, and nobody says where it is{}; without it these images are not whole: {}",
      number, volumes.count(), instead, text::listed(images));
}

std::set<std::size_t> volumes_not_here(const VolumesAtHand& volumes, std::size_t blob) {
  const std::vector<std::size_t> wanted = volumes.whereabouts().volumes_of(blob);
  const std::vector<std::size_t> here = volumes.numbers();
  std::set<std::size_t> absent;
  std::ranges::set_difference(wanted, here, std::inserter(absent, absent.end()));
  return absent;
}

class DiscPush {
 public:
  DiscPush(const delivery::Plan& plan, VolumesAtHand& volumes, DiscDrive& drive, delivery::BlobPush& push,
           const delivery::PushOptions& options, delivery::Failures& failures)
      : m_plan(plan),
        m_volumes(volumes),
        m_drive(drive),
        m_push(push),
        m_options(options),
        m_failures(failures) {}

  void run() {
    send_without_bytes();
    for (;;) {
      m_volumes.look(m_drive.places());
      send_what_is_here();
      std::erase_if(m_pending, [&](const Pending& one) { return m_failures.all_failed(one.step->images); });
      if (m_pending.empty()) return;
      if (const auto begun = take_what_begins_here()) {
        send_in_turn(*begun);
      } else if (!ask_for_next()) {
        return;
      }
    }
  }

 private:
  const bundle::Blob& blob_of(const Pending& one) const { return m_volumes.info().blobs[one.index]; }

  /// Mounts; what is left is pending.
  void send_without_bytes() {
    std::vector<const delivery::BlobStep*> mounts;
    for (const delivery::BlobStep& step : m_plan.blobs) {
      if (!step.upload()) {
        mounts.push_back(&step);
      } else {
        m_pending.push_back({&step, m_volumes.whereabouts().index_of(step.blob.digest)});
      }
    }
    std::ranges::sort(m_pending, {}, &Pending::index);
    task::for_each_bounded(std::span(mounts), m_options.jobs, m_options.stop,
                           [&](const delivery::BlobStep* step) { m_push.from_registry(*step); });
  }

  /// False when nothing was.
  bool send_what_is_here() {
    const auto rest = std::ranges::stable_partition(
        m_pending, [&](const Pending& one) { return !m_volumes.has(blob_of(one)); });
    const std::vector<Pending> here(rest.begin(), rest.end());
    m_pending.erase(rest.begin(), rest.end());
    task::for_each_bounded(std::span(here), m_options.jobs, m_options.stop, [&](const Pending& one) {
      m_push.from_source(*one.step,
                         [&](std::uint64_t offset) { return m_volumes.open_blob(one.step->blob, offset); });
    });
    return !here.empty();
  }

  std::optional<Pending> take_what_begins_here() {
    const auto found = std::ranges::find_if(
        m_pending, [&](const Pending& one) { return m_volumes.has_byte(blob_of(one), 0); });
    if (found == m_pending.end()) return std::nullopt;
    const Pending begun = *found;
    m_pending.erase(found);
    return begun;
  }

  void send_in_turn(const Pending& one) {
    const bundle::Blob& blob = blob_of(one);
    const auto bytes = bundle::open_in_turn(
        m_volumes, blob, [&](const bundle::Blob&, std::uint64_t offset) { bring(one, offset); });
    NamedDamage named(*bytes, names_of({one.step->images.begin(), one.step->images.end()}));
    PassingBlob passing(named, blob.size);
    m_failures.run([&] { return one.step->images; },
                   [&] {
                     // One that is not sent in chunks: no request is to be open while discs are changed.
                     if (blob.size <= transport::k_held) passing.read_ahead();
                     m_push.from_pipe(*one.step, [&](std::uint64_t offset) { return passing.open(offset); });
                   });
  }

  void bring(const Pending& one, std::uint64_t offset) {
    for (;;) {
      m_volumes.look(m_drive.places());
      if (m_volumes.has_byte(blob_of(one), offset)) return;
      if (send_meanwhile()) continue;
      const std::size_t number = m_volumes.whereabouts().volume_of(one.index, offset);
      m_drive.ask(question(wanted(number, &one), m_volumes), without(number, &one));
    }
  }

  /// Its failures are not those of the blob that waits, which would be tried again.
  bool send_meanwhile() {
    try {
      return send_what_is_here();
    } catch (const diag::Interrupted&) {
      throw;
    } catch (const diag::Error& error) {
      throw diag::Error(error);
    }
  }

  /// False when nobody answers, and everything that is left has failed.
  bool ask_for_next() {
    std::size_t number = m_volumes.count();
    for (const Pending& one : m_pending)
      number = std::min(number, m_volumes.whereabouts().volume_of(one.index, 0));
    try {
      m_drive.ask(question(wanted(number, nullptr), m_volumes), without(number, nullptr));
      return true;
    } catch (const NobodyAnswers& nobody) {
      for (const Pending& one : m_pending) {
        const std::set<std::size_t> absent = volumes_not_here(m_volumes, one.index);
        const std::size_t first = absent.empty() ? number : *absent.begin();
        m_failures.run([&] { return one.step->images; },
                       [&] { throw NobodyAnswers(without(first, nullptr), nobody.hint()); });
      }
      return false;
    }
  }

  /// `current`, unless null, is on its way.
  WantedVolume wanted(std::size_t number, const Pending* current) const {
    std::set<std::size_t> needed;
    const auto need = [&](const Pending& one) {
      const auto numbers = m_volumes.whereabouts().volumes_of(one.index);
      needed.insert(numbers.begin(), numbers.end());
    };
    if (current != nullptr) {
      need(*current);
      needed.erase(needed.begin(), needed.upper_bound(number));
    }
    for (const Pending& one : m_pending) need(one);
    needed.erase(number);
    WantedVolume wanted{.number = number};
    const std::vector<std::size_t> here = m_volumes.numbers();
    std::ranges::set_intersection(here, needed, std::back_inserter(wanted.waiting));
    if (m_volumes.whereabouts().knows())
      std::ranges::set_difference(needed, here, std::back_inserter(wanted.later));
    return wanted;
  }

  std::string without(std::size_t number, const Pending* current) const {
    std::set<std::size_t> images;
    const auto touch = [&](const Pending& one) {
      if (std::ranges::count(m_volumes.whereabouts().volumes_of(one.index), number) > 0)
        images.insert(one.step->images.begin(), one.step->images.end());
    };
    if (current != nullptr) touch(*current);
    for (const Pending& one : m_pending) touch(one);
    return missing(number, m_volumes, names_of(images));
  }

  std::vector<std::string> names_of(const std::set<std::size_t>& images) const {
    std::vector<std::string> names;
    for (const std::size_t image : images) names.push_back(m_plan.placements[image].name.str());
    return names;
  }

  const delivery::Plan& m_plan;
  VolumesAtHand& m_volumes;
  DiscDrive& m_drive;
  delivery::BlobPush& m_push;
  const delivery::PushOptions& m_options;
  delivery::Failures& m_failures;
  std::vector<Pending> m_pending;  ///< in the order of the archive
};

}  // namespace

bundle::LeftOut read_manifests(VolumesAtHand& volumes, DiscDrive& drive, bundle::Damaged damaged) {
  volumes.look(drive.places());
  const auto bring = [&](const bundle::Blob& blob, std::uint64_t offset) {
    for (;;) {
      volumes.look(drive.places());
      if (volumes.has_byte(blob, offset)) return;
      const bundle::Whereabouts& whereabouts = volumes.whereabouts();
      const std::size_t number = whereabouts.volume_of(whereabouts.index_of(blob.digest), offset);
      std::vector<std::string> all;  // which of them it touches nobody knows without it
      for (const bundle::Image& image : volumes.info().images) all.push_back(image.name.str());
      drive.ask(question({.number = number}, volumes), missing(number, volumes, all));
    }
  };
  return volumes.read_manifests(bring, damaged);
}

void push_blobs(const delivery::Plan& plan, VolumesAtHand& volumes, DiscDrive& drive,
                registry::RegistryClient& client, transport::Observer& observer,
                const delivery::PushOptions& options, delivery::Failures& failures) {
  delivery::BlobPush push(plan, client, observer, options.sender, failures);
  DiscPush(plan, volumes, drive, push, options, failures).run();
}

std::optional<diag::IntegrityError> volumes_to_bring(const delivery::Plan& plan,
                                                     const VolumesAtHand& volumes) {
  std::set<std::size_t> absent;
  for (const delivery::BlobStep& step : plan.blobs) {
    if (step.upload())
      absent.merge(volumes_not_here(volumes, volumes.whereabouts().index_of(step.blob.digest)));
  }
  if (absent.empty()) return std::nullopt;
  const std::vector<std::size_t> numbers(absent.begin(), absent.end());
  const bool one = numbers.size() == 1;
  return diag::IntegrityError(
      fmt::format("volume{} {} of {} {} not here, and {} what has to be sent", one ? "" : "s",
                  text::ranges(numbers), volumes.count(), one ? "is" : "are", one ? "holds" : "hold"),
      "the push asks for one after the other; those that are named or put in beforehand it finds by itself");
}

}  // namespace airgap::importer
