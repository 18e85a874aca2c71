#include "common/http/url.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "common/diag/error.hpp"

namespace airgap::http {

TEST_CASE("a URL is taken apart and put together without loss") {
  struct Row {
    const char* text;
    const char* origin;
    const char* path;
    const char* query;
  };
  const std::vector<Row> table{
      {"https://registry.example/v2/", "https://registry.example", "/v2/", ""},
      {"https://registry.example", "https://registry.example", "/", ""},
      {"HTTPS://Registry.Example:443/V2/", "https://registry.example", "/V2/", ""},
      {"https://registry.example:5000/v2/?n=1&last=a%2Fb", "https://registry.example:5000", "/v2/",
       "?n=1&last=a%2Fb"},
      {"http://127.0.0.1:5000/a/../b", "http://127.0.0.1:5000", "/a/../b", ""},
      {"http://[::1]:5000/x", "http://[::1]:5000", "/x", ""},
      {"http://[2001:DB8::1]/x", "http://[2001:db8::1]", "/x", ""},
      {"https://h/p?sig=a+b/c==&x=%2f", "https://h", "/p", "?sig=a+b/c==&x=%2f"},
      {"https://h/p?q#fragment", "https://h", "/p", "?q"},
      {"https://h?q", "https://h", "/", "?q"},
      {"http://127.1/", "http://127.0.0.1", "/",
       ""},  // one spelling for an address, so that rules see through others
      {"http://0x7f000001/", "http://127.0.0.1", "/", ""},
  };
  for (const Row& row : table) {
    CAPTURE(row.text);
    const Url url = Url::parse(row.text);
    CHECK(url.origin().str() == row.origin);
    CHECK(url.path() == row.path);
    CHECK(url.str() == std::string(row.origin) + row.path + row.query);
    CHECK(Url::parse(url.str()) == url);
  }
}

TEST_CASE("what is no plain web address is refused as unsafe") {
  const std::vector<std::string> refused{
      "",
      "registry.example",
      "ftp://h/",
      "file:///etc/passwd",
      "gopher://h/",
      "javascript:alert(1)",
      "https:/h/",
      "https:///h/",
      "https://",
      "https://:443/",
      "https://user@h/",
      "https://user:secret@h/",
      "https://good.example\\@evil.example/",
      "https://h/a b",
      "https://h/a\tb",
      "https://h/a\r\nX-Evil: 1",
      std::string("https://h/a\0b", 13),
      "https://h/\x7f",
      "https://h:0/",
      "https://h:65536/",
      "https://h:x/",
      "https://h%2eexample/",
      "https://b\xc3\xbc"
      "cher.example/",
      "https://a_b!c/",
      "http://[::1/",
      "http://[fe80::1%25eth0]/",
      "https://h/" + std::string(20000, 'a'),
  };
  for (const std::string& text : refused) {
    CAPTURE(text);
    CHECK_THROWS_AS(Url::parse(text), diag::UnsafeError);
  }
}

TEST_CASE("a refused URL is named without its password and its query") {
  const auto message = [](const char* text) {
    try {
      Url::parse(text);
    } catch (const diag::Error& error) {
      return error.message();
    }
    return std::string();
  };
  CHECK(message("https://user:secret@h/x?sig=token").find("secret") == std::string::npos);
  CHECK(message("https://user:secret@h/x?sig=token").find("token") == std::string::npos);
  CHECK(message("ftp://user:secret@h/").find("secret") == std::string::npos);
}

TEST_CASE("a reference is resolved against the URL it came from") {
  struct Row {
    const char* reference;
    const char* result;
  };
  const Url base = Url::parse("https://r.example:5000/v2/app/blobs/uploads/?state=1");
  const std::vector<Row> table{
      {"https://other.example/x", "https://other.example/x"},
      {"//other.example/x", "https://other.example/x"},
      {"/v2/app/blobs/uploads/id?_state=a%3D", "https://r.example:5000/v2/app/blobs/uploads/id?_state=a%3D"},
      {"id", "https://r.example:5000/v2/app/blobs/uploads/id"},
      {"./id?x=/../y", "https://r.example:5000/v2/app/blobs/uploads/id?x=/../y"},
      {"../id", "https://r.example:5000/v2/app/blobs/id"},
      {"../../../../../../id", "https://r.example:5000/id"},
      {"..", "https://r.example:5000/v2/app/blobs/"},
      {"?n=2", "https://r.example:5000/v2/app/blobs/uploads/?n=2"},
      {"", "https://r.example:5000/v2/app/blobs/uploads/?state=1"},
      {"/x#part", "https://r.example:5000/x"},
      {"http://r.example/", "http://r.example/"},
  };
  for (const Row& row : table) {
    CAPTURE(row.reference);
    CHECK(base.resolve(row.reference).str() == row.result);
  }
}

TEST_CASE("a reference cannot leave the web or smuggle a user name") {
  const Url base = Url::parse("https://r.example/v2/");
  for (const char* reference :
       {"file:///etc/passwd", "ftp://h/", "//user:pw@h/", "///h", "\\\\h\\x", "/a b", "x:y"}) {
    CAPTURE(reference);
    CHECK_THROWS_AS(base.resolve(reference), diag::UnsafeError);
  }
}

TEST_CASE("parameters are encoded and appended") {
  const Url url = Url::parse("https://r/token");
  CHECK(url.with_parameter("scope", "repository:a/b:pull,push").str() ==
        "https://r/token?scope=repository%3Aa%2Fb%3Apull%2Cpush");
  CHECK(url.with_parameter("a", "1").with_parameter("b", "x&y").str() == "https://r/token?a=1&b=x%26y");
  CHECK(percent_encode("az-AZ_09.~ /\xc3") == "az-AZ_09.~%20%2F%C3");
}

}  // namespace airgap::http
