#include "bundle-format/pipe/pipe_writer.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <thread>

#include "common/diag/error.hpp"
#include "common/hash/verifying_source.hpp"
#include "common/task/for_each.hpp"
#include "tests/unit/bundle-format/writer_fixture.hpp"

using namespace airgap;
using namespace airgap::bundle;
using namespace airgap::bundle::testing;

namespace {

/// A pipe whose other end a thread reads to its end.
class ReadPipe {
 public:
  ReadPipe() {
    std::array<int, 2> ends{};
    if (::pipe(ends.data()) != 0) throw std::runtime_error("no pipe");
    m_writing = ends[1];
    m_reader = std::thread([this, fd = ends[0]] {
      io::File file(fd, "pipe");
      std::array<std::byte, 65536> buffer;
      while (const std::size_t count = file.read_some(buffer))
        m_text += io::text_of(std::span(buffer).first(count));
    });
  }
  ~ReadPipe() {
    if (m_reader.joinable()) m_reader.join();
  }
  io::File writing_end() const { return {m_writing, "pipe"}; }
  const std::string& text() {
    m_reader.join();
    return m_text;
  }

 private:
  int m_writing = -1;
  std::string m_text;
  std::thread m_reader;
};

/// Small blobs, and layers beyond what waits in memory.
Sample many_images() {
  std::vector<ImageSpec> images;
  for (unsigned i = 0; i < 12; ++i) {
    images.push_back(
        {"example.com/app" + std::to_string(i) + ":1", {"base", noise(i % 4 == 0 ? 5'000'000 : 50'000, i)}});
  }
  return sample(images);
}

void fetch_all(BundleWriter& writer, const Sample& wanted, std::size_t jobs) {
  const std::vector<Blob> blobs = wanted.fetched();
  task::for_each_bounded(std::span(blobs), jobs, {}, [&](const Blob& blob) {
    writer.put_blob(blob, wanted.opener(blob), transport::no_observer());
  });
}

}  // namespace

TEST_CASE("a pipe carries the bytes of the archive, with any number of jobs") {
  const TempDirectory temp;
  const Sample wanted = many_images();
  write_bundle(temp.path("out.tar"), wanted, 3);
  for (const std::size_t jobs : {1U, 3U, 16U}) {
    ReadPipe pipe;
    {
      const auto writer = open_pipe_writer(pipe.writing_end());
      writer->begin(wanted.contents);
      fetch_all(*writer, wanted, jobs);
      writer->commit();
    }
    CHECK(pipe.text() == file_text(temp.path("out.tar")));
  }
}

TEST_CASE("a small blob with wrong bytes is fetched once more before it enters the pipe") {
  const Sample wanted = sample({{"example.com/app:1", {"base"}}});
  ReadPipe pipe;
  const auto writer = open_pipe_writer(pipe.writing_end());
  writer->begin(wanted.contents);
  int openings = 0;
  const Blob layer = wanted.blob_of("base");
  for (const Blob& blob : wanted.fetched()) {
    const auto open = [&](std::uint64_t offset) -> std::unique_ptr<io::Source> {
      if (blob == layer && ++openings == 1) return std::make_unique<io::MemorySource>("bass");
      return wanted.opener(blob)(offset);
    };
    writer->put_blob(blob, open, transport::no_observer());
  }
  writer->commit();
  CHECK(openings == 2);
}

TEST_CASE("one failure ends the output for every blob that waits, with the same error") {
  const Sample wanted = many_images();
  ReadPipe pipe;
  const auto writer = open_pipe_writer(pipe.writing_end());
  writer->begin(wanted.contents);
  const std::vector<Blob> blobs = wanted.fetched();
  std::atomic<int> failures = 0;
  {
    std::vector<std::jthread> workers;
    for (std::size_t i = 1; i < 6; ++i) {
      workers.emplace_back([&, i] {
        try {
          writer->put_blob(blobs[i], wanted.opener(blobs[i]), transport::no_observer());
        } catch (const diag::Error& error) {
          if (error.kind() == diag::ErrorKind::network) ++failures;
        }
      });
    }
    FaultyBlob faulty(wanted.bytes.at(blobs[0].digest), 10);
    CHECK_THROWS_AS(writer->put_blob(blobs[0], faulty.opener(), transport::no_observer()),
                    diag::NetworkError);
  }
  CHECK(failures == 5);
  CHECK_THROWS_AS(writer->commit(), diag::InternalError);
}

TEST_CASE("after a failure nothing more is fetched for a pipe") {
  const Sample wanted = many_images();
  ReadPipe pipe;
  const auto writer = open_pipe_writer(pipe.writing_end());
  writer->begin(wanted.contents);
  const std::vector<Blob> blobs = wanted.fetched();
  FaultyBlob faulty(wanted.bytes.at(blobs[0].digest), 10);
  CHECK_THROWS_AS(writer->put_blob(blobs[0], faulty.opener(), transport::no_observer()), diag::NetworkError);
  int openings = 0;
  const transport::BlobOpener counting = [&](std::uint64_t offset) {
    ++openings;
    return wanted.opener(blobs[1])(offset);
  };
  CHECK_THROWS_AS(writer->put_blob(blobs[1], counting, transport::no_observer()), diag::Error);
  CHECK(openings == 0);
}

TEST_CASE("a reader that goes away is a storage error") {
  std::array<int, 2> ends{};
  REQUIRE(::pipe(ends.data()) == 0);
  ::close(ends[0]);
  const auto writer = open_pipe_writer(io::File(ends[1], "pipe"));
  CHECK_THROWS_WITH_AS(writer->begin(many_images().contents), "the reader of the pipe went away",
                       diag::StorageError);
}

TEST_CASE("an archive is not written to a terminal") {
  const int terminal = ::posix_openpt(O_RDWR | O_NOCTTY);
  REQUIRE(terminal >= 0);
  CHECK_THROWS_AS(open_pipe_writer(io::File(terminal, "terminal")), diag::UsageError);
}
