#include "common/registry/tag_listing.hpp"

#include <fmt/format.h>

#include <set>

#include "common/image/reference.hpp"
#include "common/json/reader.hpp"
#include "common/registry/endpoints.hpp"
#include "common/registry/limits.hpp"
#include "common/registry/pagination.hpp"
#include "common/registry/reply.hpp"
#include "common/text/escape.hpp"
#include "common/text/human_size.hpp"

namespace airgap::registry {
namespace {

// Tags as they come in, the unusable ones counted.
class TagCollector {
 public:
  explicit TagCollector(std::string name) : m_name(std::move(name)) {}

  /// True when the page is not empty and has nothing that was not there before.
  bool add_page(const json::Node& root) {
    const auto tags = root.find("tags");  // distribution 2 says null for none
    if (!tags) return false;
    bool news = false;
    for (const json::Node& tag : tags->elements()) news = add(tag) || news;
    return tags->size() != 0 && !news;
  }

  std::vector<std::string> finish(HostSession& host) && {
    if (m_bad != 0) {
      host.warn_once(fmt::format("{} lists {} that no tag can have, such as \"{}\"; skipped", m_name,
                                 text::counted(m_bad, "name"), text::escape(m_example)));
    }
    return {m_tags.begin(), m_tags.end()};
  }

 private:
  bool add(const json::Node& tag) {
    const std::string name = tag.is_string() ? tag.string() : "null";
    if (!tag.is_string() || !image::is_valid_tag(name)) {
      if (m_bad++ == 0) m_example = name;
      return m_bad_seen.size() < k_max_tags && m_bad_seen.insert(name).second;
    }
    if (m_tags.size() == k_max_tags) {
      throw diag::UnsafeError(fmt::format("{} has more than {} tags", m_name, k_max_tags));
    }
    return m_tags.insert(name).second;
  }

  std::string m_name;
  std::set<std::string> m_tags;
  std::set<std::string> m_bad_seen;
  std::uint64_t m_bad = 0;
  std::string m_example;
};

void read_page(HostSession& host, http::Response& response, const std::string& path, TagCollector& tags,
               bool& repeats) {
  refuse_web_page(host.registry(), response);
  const std::string body = read_body(response, k_max_tag_page, fmt::format("the tag list of {}", path));
  try {
    const json::Document document = json::Document::parse(body, {.bytes = k_max_tag_page});
    repeats = tags.add_page(document.root());
  } catch (const diag::FormatError&) {
    throw_not_a_registry(host.registry(), body);
  }
}

}  // namespace

std::optional<std::vector<std::string>> list_tags(HostSession& host, const std::string& path) {
  TagCollector tags(fmt::format("{}/{}", host.registry(), path));
  PageWalk walk(host.registry(), k_max_tag_pages);
  std::optional<http::Url> page = tags_url(host.origin(), path);
  for (bool first = true; page; first = false) {
    http::Request request = host.request(http::Method::get, *page);
    request.headers.set("Accept", "application/json");
    const auto response = host.send(std::move(request), host.read_access(path));
    if (response->status() != 200) {
      const Refusal refusal = read_refusal(*response);
      if (refusal.status == 404 && first) return std::nullopt;
      throw_refusal(refusal,
                    {.registry = host.registry(), .repository = path, .subject = "the tag list of " + path});
    }
    bool repeats = false;
    read_page(host, *response, path, tags, repeats);
    page = walk.next(response->head(), repeats);
  }
  return std::move(tags).finish(host);
}

}  // namespace airgap::registry
