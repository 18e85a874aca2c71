#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "common/image/descriptor.hpp"
#include "common/registry/host_session.hpp"
#include "common/registry/upload_news.hpp"
#include "common/registry/upload_session.hpp"
#include "common/transport/image_source.hpp"

namespace airgap::registry {

/// Reports the bytes of one blob as they leave, and takes them back when it starts over. In bytes.
class SentCount {
 public:
  explicit SentCount(const UploadNews& news) : m_news(news) {}
  /// The attempt that begins has so many bytes from an earlier run.
  void restart(std::uint64_t found = 0);
  void add(std::uint64_t count) { move_to(m_place + count); }
  /// It is over, and so many bytes stay in the registry for a later run.
  void give_up(std::uint64_t kept);
  /// All before `place` is sent, and nothing behind it counts.
  void move_to(std::uint64_t place);

 private:
  const UploadNews& m_news;
  std::uint64_t m_found = 0;
  std::uint64_t m_place = 0;
};

/// A blob on its way. The sources that it opens check size and digest before they report their end.
class OutgoingBlob {
 public:
  /// All is borrowed.
  OutgoingBlob(const image::Descriptor& descriptor, const transport::BlobOpener& open, const UploadNews& news,
               transport::Reread reread)
      : m_descriptor(descriptor), m_open(open), m_count(news), m_reread(reread) {}

  const image::Descriptor& descriptor() const noexcept { return m_descriptor; }
  SentCount& count() noexcept { return m_count; }
  /// It comes from a pipe, and more of it than is held there.
  bool passes_by() const noexcept {
    return m_reread == transport::Reread::beginning && m_descriptor.size > transport::k_held;
  }
  std::unique_ptr<io::Source> open(std::uint64_t offset) const { return m_open(offset); }  ///< not checked
  std::unique_ptr<io::Source> open_checked() const;                                        ///< not counted
  std::unique_ptr<io::Source> open_counted();  ///< counted, from zero again
  /// Reads it all: DigestMismatch when the bytes here are not those of the digest (R76).
  void check_bytes() const;

 private:
  const image::Descriptor& m_descriptor;
  const transport::BlobOpener& m_open;
  SentCount m_count;
  transport::Reread m_reread;
};

/// What came of one attempt to send a blob.
struct UploadOutcome {
  enum class Kind {
    done,
    lost,       ///< the session is gone or confused: begin another one (R71)
    try_later,  ///< the server or the line failed
    other_way,  ///< the registry does not take it this way (R75)
    too_large,  ///< a limit on request bodies (R74)
    mismatch,   ///< the registry says that the bytes do not fit the digest (R76)
    refused,
  };
  Kind kind = Kind::done;
  std::optional<Refusal> refusal{};
  std::optional<std::chrono::milliseconds> retry_after{};
};

/// What an answer to an upload that is not success means.
UploadOutcome outcome_of(HostSession& host, http::Response& response, UploadWay way);
/// How many bytes an answer says are there: "0-99" and "bytes=0-99" both mean 100 (R73). Nothing when it says
/// nothing.
std::optional<std::uint64_t> bytes_there(const http::ResponseHead& head);
/// A success, and no web page.
bool is_success(const http::Response& response);
/// A PATCH or PUT of an upload: sent once, who calls starts over.
http::Request upload_request(HostSession& host, http::Method method, const http::Url& url);
/// The PUT that closes a session all of whose bytes are there; `grace` as in http::Request.
UploadOutcome commit(HostSession& host, const std::string& path, const UploadSession& session,
                     const image::Descriptor& blob, UploadWay way,
                     std::chrono::milliseconds grace = std::chrono::milliseconds(0));

// Each way sends the whole blob in `session` and commits it. distribution-spec, "Pushing blobs".

UploadOutcome upload_by_put(HostSession& host, const std::string& path, const UploadSession& session,
                            OutgoingBlob& blob);
UploadOutcome upload_by_patch(HostSession& host, const std::string& path, UploadSession session,
                              OutgoingBlob& blob);

}  // namespace airgap::registry
