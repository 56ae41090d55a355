// Fuzz target: two URIs are parsed, looked into and compared; equality is reflexive and symmetric.
#include <string>

#include "fuzz/input.h"
#include "sip/uri.h"

namespace signalbox::sip {
namespace {

void use(const Uri& uri, std::string_view text) {
    CHECK(uri.text == text);
    CHECK(fuzz::is_within(text, uri.user));
    CHECK(fuzz::is_within(text, uri.host));
    CHECK(fuzz::is_within(text, uri.params));
    CHECK(fuzz::is_within(text, uri.headers));
    CHECK(uris_equal(uri, uri));
    CHECK(canonical_user(uri).size() <= uri.user.size());
    static_cast<void>(uri.param("transport"));
    if (!uri.is_sip()) return;
    CHECK(!uri.host.empty());
    CHECK(uri.has_user == !uri.user.empty());
    CHECK(uri.port_or_default() != 0);
    CHECK(hosts_equal(uri.host, uri.host));
}

}  // namespace
}  // namespace signalbox::sip

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace signalbox::sip;
    // The first line is one URI, the rest the other.
    const std::string bytes(reinterpret_cast<const char*>(data), size);
    const size_t split = bytes.find('\n');
    const std::string first = bytes.substr(0, split);
    const std::string second = split == std::string::npos ? first : bytes.substr(split + 1);
    const signalbox::Result<Uri> a = parse_uri(first);
    const signalbox::Result<Uri> b = parse_uri(second);
    if (a) use(*a, first);
    if (b) use(*b, second);
    if (a && b) CHECK(uris_equal(*a, *b) == uris_equal(*b, *a));
    std::string decoded;
    unescape(second, decoded);
    CHECK(decoded.size() <= second.size());
    return 0;
}
