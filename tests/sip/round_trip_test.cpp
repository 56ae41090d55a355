// Covers by seeded random values that what is written by the grammar is read back part by part, and
// that damaged messages never make a view point outside its octets (RFC 3261 §19.1.1, §20.10,
// §20.42, §25.1).
#include <gtest/gtest.h>

#include <random>
#include <string>

#include "sip/header_values.h"
#include "tests/sip/support.h"

namespace signalbox::sip {
namespace {

/// Random texts of the grammar, the same for the same seed.
class Writer final {
 public:
    explicit Writer(uint32_t seed) : random_(seed) {}
    size_t below(size_t bound) { return random_() % bound; }
    bool flip() { return below(2) == 0; }
    std::string run(std::string_view set, size_t min, size_t max) {
        std::string out;
        const size_t size = min + below(max - min + 1);
        for (size_t i = 0; i < size; ++i) out += set[below(set.size())];
        return out;
    }
    std::string token() { return run("abXY09-.!%*_+`'~", 1, 8); }
    std::string host() {
        if (flip()) return "[2001:db8::" + run("0123456789abcdefABCDEF", 1, 4) + "]";
        return run("abcXYZ", 1, 5) + "." + run("abc09", 1, 5);
    }
    std::string port() { return std::to_string(1 + below(65535)); }
    std::string white() {
        static constexpr std::string_view kForms[] = {"", "", " ", "\t", "\r\n ", " \r\n\t "};
        return std::string(kForms[below(std::size(kForms))]);
    }
    std::string uri() {
        std::string out = flip() ? "sip:" : "SIPS:";
        if (flip()) {
            out += run("aB9-_.!~*'()&=+$,;?/", 1, 10) + (flip() ? "%2f" : "");
            if (flip()) out += ":" + run("pw9&=+$,", 0, 5);
            out += "@";
        }
        out += host();
        if (flip()) out += ":" + port();
        for (size_t i = below(3); i > 0; --i) {
            out += ";" + run("pq[]/:&+$", 1, 4) + (flip() ? "=" + run("vw9", 0, 3) : "");
        }
        if (flip()) out += "?h=" + run("xy[]/?:+$", 0, 5);
        return out;
    }

 private:
    std::mt19937 random_;
};

TEST(RoundTrip_Rfc3261_19_1_1, UrisComeBackPartByPart) {
    Writer write(1);
    for (int round = 0; round < 5000; ++round) {
        const std::string text = write.uri();
        const Result<Uri> uri = parse_uri(text);
        ASSERT_TRUE(uri) << text;
        std::string again(uri->scheme_text);
        again += ":";
        if (uri->has_user) {
            again += uri->user;
            if (!uri->password.empty()) again += ":" + std::string(uri->password);
            again += "@";
        }
        again += uri->host;
        if (uri->port) again += ":" + std::to_string(*uri->port);
        if (!uri->params.empty()) again += ";" + std::string(uri->params);
        if (!uri->headers.empty()) again += "?" + std::string(uri->headers);
        ASSERT_EQ(again, replaced(text, ":@", "@"));
        ASSERT_TRUE(uris_equal(*uri, *uri)) << text;
    }
}

TEST(RoundTrip_Rfc3261_20_42, ViasComeBackPartByPartWithWhiteSpaceAnywhere) {
    Writer write(2);
    for (int round = 0; round < 5000; ++round) {
        const std::string transport = write.token();
        const std::string host = write.host();
        const std::string port = write.port();
        const std::string branch = write.token();
        std::string text = write.white() + "SIP" + write.white() + "/" + write.white() + "2.0" +
                           write.white() + "/" + write.white() + transport + " " + write.white() +
                           host + write.white() + ":" + write.white() + port + write.white();
        text += ";" + write.white() + "branch" + write.white() + "=" + write.white() + branch +
                write.white();
        const bool more = write.flip();
        if (more) text += "," + write.white() + "SIP/2.0/UDP next";
        std::string_view rest;
        const Result<Via> via = parse_via(text, &rest);
        ASSERT_TRUE(via) << text;
        ASSERT_EQ(via->transport, transport);
        ASSERT_EQ(via->host, host);
        ASSERT_EQ(via->port, std::stoi(port));
        ASSERT_EQ(via->branch, branch);
        ASSERT_EQ(rest, more ? "SIP/2.0/UDP next" : "");
    }
}

TEST(RoundTrip_Rfc3261_20_10, AddressesComeBackPartByPart) {
    Writer write(3);
    for (int round = 0; round < 5000; ++round) {
        const std::string display =
            write.flip() ? "\"" + write.run("ab ,;<>@:\t\xc3\xbc", 0, 8) + "\"" : write.token();
        const std::string uri = write.uri();
        const std::string tag = write.token();
        const std::string text = write.white() + display + write.white() + "<" + uri + ">" +
                                 write.white() + ";" + write.white() + "tag" + write.white() + "=" +
                                 write.white() + tag + write.white();
        const Result<NameAddr> address = parse_name_addr(text, ErrorCode::malformed_to);
        ASSERT_TRUE(address) << text;
        ASSERT_EQ(address->display_name, display);
        ASSERT_EQ(address->uri_text, uri);
        ASSERT_EQ(address->tag, tag);
    }
}

TEST(RoundTrip_Behaviour, DamagedMessagesStayWithinTheirOctets) {
    const std::string good = options_request({"Contact: \"A\" <sip:a@[2001:db8::1]:5060>;q=0.5",
                                              "Subject: x\r\n y", "Content-Length: 4"},
                                             "body");
    constexpr std::string_view kOctets("\0\r\n \t:;,\"<>@%[]\\=aZ9\x80\xff", 22);
    std::mt19937 random(4);
    for (int round = 0; round < 20000; ++round) {
        std::string bad = good;
        for (size_t i = 1 + random() % 4; i > 0; --i) {
            bad[random() % bad.size()] = kOctets[random() % kOctets.size()];
        }
        const Parsed message(bad);
        const MessageView& view = message.view;
        ASSERT_LE(view.headers_end(), view.bytes().size());
        for (const HeaderField& field : view.headers()) {
            ASSERT_LT(field.begin, field.value_begin);
            ASSERT_LE(field.value_begin, field.value_end);
            ASSERT_LT(field.value_end, field.end);
            ASSERT_LE(field.end, view.headers_end());
        }
        if (message.result) static_cast<void>(check_message(view));
    }
}

}  // namespace
}  // namespace signalbox::sip
