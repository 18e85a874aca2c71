#pragma once

#include <optional>

#include "bundle-format/volumes/volumes_at_hand.hpp"
#include "common/delivery/push.hpp"
#include "common/diag/error.hpp"
#include "importer/disc_drive.hpp"

namespace airgap::importer {

/// Reads the manifests of a set that is not there all at once; asks for the volumes that have them. Returns
/// what damaged ones cost where that may be left out.
bundle::LeftOut read_manifests(bundle::VolumesAtHand& volumes, DiscDrive& drive, bundle::Damaged damaged);

/// delivery::push_blobs from volumes that come and go. What is at hand is sent, as many blobs at a time as
/// the options say. Then the drive is asked for a volume that has something which is wanted; any other one
/// that has does as well. A blob that lies in several volumes, of which some are missing, is sent alone, in
/// chunks, between which discs are changed; what is at hand meanwhile is sent too.
void push_blobs(const delivery::Plan& plan, bundle::VolumesAtHand& volumes, DiscDrive& drive,
                registry::RegistryClient& client, transport::Observer& observer,
                const delivery::PushOptions& options, delivery::Failures& failures);

/// For a dry run, which asks for no disc but the first: names the volumes that the push will ask for. Nothing
/// where all that has to be sent is at hand.
std::optional<diag::IntegrityError> volumes_to_bring(const delivery::Plan& plan,
                                                     const bundle::VolumesAtHand& volumes);

}  // namespace airgap::importer
