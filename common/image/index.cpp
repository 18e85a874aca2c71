#include "common/image/index.hpp"

#include "common/json/writer.hpp"

namespace airgap::image {

std::string write_index(const Index& original, std::span<const Descriptor> chosen) {
  json::Writer writer(json::Writer::Style::compact);
  writer.begin_object();
  writer.member("schemaVersion", 2).member("mediaType", original.media_type);
  writer.member("artifactType", original.artifact_type);
  writer.key("manifests").begin_array();
  for (const Descriptor& child : chosen) child.write(writer);
  writer.end_array();
  if (original.subject) {
    writer.key("subject");
    original.subject->write(writer);
  }
  if (!original.annotations.empty()) {
    writer.key("annotations").begin_object();
    for (const auto& [name, value] : original.annotations) writer.member(name, value);
    writer.end_object();
  }
  writer.end_object();
  return writer.str();
}

}  // namespace airgap::image
