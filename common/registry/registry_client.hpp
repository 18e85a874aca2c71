#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/hash/digest.hpp"
#include "common/http/client.hpp"
#include "common/image/descriptor.hpp"
#include "common/registry/credentials.hpp"
#include "common/registry/registry_options.hpp"
#include "common/registry/repository.hpp"
#include "common/registry/upload_news.hpp"
#include "common/task/clock.hpp"
#include "common/transport/image_source.hpp"

namespace airgap::registry {

/// A manifest as a registry answered: exact bytes, the digest they hash to and the type that was decided.
struct FetchedManifest {
  image::Descriptor descriptor;
  std::string bytes;
};

/// What a HEAD of a manifest says. The digest is a hint until bytes are read (R34, R35).
struct ManifestHead {
  hash::Digest digest;
  std::string media_type;
  std::uint64_t size = 0;  ///< bytes, 0 when not said
};

/// Whose word on tags will do.
enum class TagsFrom {
  location,    ///< whoever must know all of them
  any_mirror,  ///< a mirror's, too, when the location fails
};

struct FoundTags {
  std::optional<std::vector<std::string>> tags;  ///< sorted; empty when the repository is unknown
  bool of_mirror = false;  ///< which need not know all of them: the location fails or is blocked
};

struct FoundReferrers {
  std::optional<std::vector<image::Descriptor>> listed;
  bool of_mirror = false;  ///< a mirror's, which lists some
};

/// The mirrors of a repository list nothing, and its location, whose word counts, could not be asked.
class MirrorsKnowNone : public diag::NetworkError {
 public:
  using KindError::KindError;
};

/// The distribution specification from a client's side, over any number of hosts: authentication, retries,
/// limits, quirks. `reference` is a tag or a digest's text. Absence that is
/// normal is an empty optional; everything else that is not success throws: NetworkError, CredentialsError,
/// IntegrityError, UnsafeError, with the host, repository and what to do. Thread-safe. What a host taught is
/// remembered for the run. Names are read by RegistryOptions::routes: a mirror that fails, or has not what is
/// asked for, is followed by the next endpoint, with one warning for each. What is blocked is a UsageError.
class RegistryClient {
 public:
  /// `transport` retries and follows redirects; `credentials` and `clock` are borrowed too.
  RegistryClient(http::Client& transport, CredentialStore& credentials, task::Clock& clock,
                 RegistryOptions options);
  ~RegistryClient();

  /// HEAD, with GET as fallback where a registry refuses HEAD or leaves the digest out (R32, R33).
  std::optional<ManifestHead> head_manifest(const Repository& repository, std::string_view reference);
  /// By digest the bytes are verified; by tag their digest is what they hash to. Empty when it does not
  /// exist.
  std::optional<FetchedManifest> get_manifest(const Repository& repository, std::string_view reference);
  /// The verified bytes of a document of any type that another document names; not parsed. Throws
  /// NetworkError when it is not there.
  std::string read_document(const Repository& repository, const image::Descriptor& wanted);
  /// All valid tags, sorted; bad ones are skipped with a warning (R57-R59). Empty when the repository is
  /// unknown.
  std::optional<std::vector<std::string>> list_tags(const Repository& repository);
  /// The same from whoever will do, with whose word it is.
  FoundTags find_tags(const Repository& repository, TagsFrom from);
  /// OCI 1.1 referrers of a manifest: the API's answer; nothing where the registry has no such API, and then
  /// the caller looks at the tags (R61). Any other failure throws. A mirror that lists none is not believed:
  /// MirrorsKnowNone where nobody else can be asked.
  std::optional<std::vector<image::Descriptor>> referrers(const Repository& repository,
                                                          const hash::Digest& subject);
  /// The same, with whose word it is.
  FoundReferrers find_referrers(const Repository& repository, const hash::Digest& subject);

  /// Never asks a mirror, for that would not tell whether a push can leave the blob out.
  bool has_blob(const Repository& repository, const hash::Digest& digest);
  /// The bytes from `offset`; a transfer that breaks is resumed by Range with a strict check of the answer
  /// (R1, R2, R29-R31). Not verified. A foreign layer is taken from its urls where the registry lacks it.
  std::unique_ptr<io::Source> open_blob(const Repository& repository, const image::Descriptor& blob,
                                        std::uint64_t offset);

  /// Says beforehand that this repository will be pushed to: reading it then asks for the right to push as
  /// well, which registries with tokens want to see before they answer for a repository that does not exist
  /// yet. From then on its mirrors are not asked.
  void expect_push(const Repository& repository);
  /// Cross-repository mount; false when the registry would not, and the blob has to be uploaded (R69).
  bool mount_blob(const Repository& repository, const hash::Digest& digest, const Repository& from);
  /// POST+PUT, then PATCH, then chunks where a registry insists. Hashes what it sends: DigestMismatch when
  /// the source's bytes are not those of `blob`, and nothing is committed then (R71-R77). A large blob goes
  /// in chunks from the start, where the registry takes them, and a later run goes on where this one ended
  /// (RegistryOptions::kept_uploads). What can be read once, and is too large to be held, does too.
  void upload_blob(const Repository& repository, const image::Descriptor& blob,
                   const transport::BlobOpener& open, const UploadNews& news,
                   transport::Reread reread = transport::Reread::always);
  /// How much of the blob an upload of an earlier run left there, by the registry's word: upload_blob() goes
  /// on behind it.
  std::uint64_t kept_bytes(const Repository& repository, const image::Descriptor& blob);
  void put_manifest(const Repository& repository, std::string_view reference, std::string_view bytes,
                    std::string_view media_type);

  /// Takes a tag away and leaves the manifest; true when it is gone. False where the registry does not delete
  /// by tag: many delete manifests alone (docker-registry 2.8), with every tag of theirs.
  bool delete_tag(const Repository& repository, std::string_view tag);
  /// Deletes a manifest with all its tags; none is left when it is not there.
  void delete_manifest(const Repository& repository, const hash::Digest& digest);

 private:
  class Session;
  std::unique_ptr<Session> m_session;
};

}  // namespace airgap::registry
