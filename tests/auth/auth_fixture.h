// What the tests of auth/ share: fixed keys and randomness, a clock, and a client that answers
// challenges.
#pragma once

#include <gtest/gtest.h>

#include <cstdio>
#include <string>
#include <vector>

#include "auth/digest_authenticator.h"
#include "auth/ha1.h"
#include "auth/nonce.h"

namespace signalbox::auth {

inline crypto::TokenKeys fixed_keys(
    uint8_t id = 1, WallTime not_after = WallTime(std::chrono::seconds(1'800'000'000))) {
    crypto::TokenKey key;
    key.id = id;
    for (size_t i = 0; i < key.secret.size(); ++i) {
        key.secret[i] = static_cast<uint8_t>(i + (id - 1U) * 64U);
    }
    key.not_after = not_after;
    return crypto::TokenKeys(std::span<const crypto::TokenKey>(&key, 1));
}

/// `since` the 1,700,000,000th second; the monotonic clock began ten seconds before.
inline Now at(Duration since) {
    return {Instant(std::chrono::seconds(10) + since),
            WallTime(std::chrono::seconds(1'700'000'000)) +
                std::chrono::duration_cast<WallTime::duration>(since)};
}

inline std::string hex8(uint32_t value) {
    char text[9];
    std::snprintf(text, sizeof(text), "%08x", value);
    return text;
}

/// An Authorization value, built parameter by parameter; `answer()` computes the response as a
/// client does.
struct Client {
    std::string username = "alice";
    std::string password = "open sesame";
    std::string realm = "example.test";
    std::string nonce;
    std::string uri = "sip:example.test";
    std::string algorithm;     // empty: not written
    std::string qop = "auth";  // empty: RFC 2069
    std::string cnonce = "c0ffee";
    std::string method = "REGISTER";
    std::string extra;  // parameters behind the others, each with its comma before it
    uint32_t nc = 1;

    std::string answer() {
        const auto kind =
            crypto::parse_digest_name(algorithm).value_or(crypto::DigestAlgorithm::Md5);
        const std::string a1 = digester.digest(kind, {username, ":", realm, ":", password}).hex();
        const std::string a2 = digester.digest(kind, {method, ":", uri}).hex();
        if (qop.empty()) return digester.digest(kind, {a1, ":", nonce, ":", a2}).hex();
        return digester
            .digest(kind, {a1, ":", nonce, ":", hex8(nc), ":", cnonce, ":", qop, ":", a2})
            .hex();
    }
    std::string header() { return header(answer()); }
    std::string header(const std::string& response) const {
        std::string out = "Digest username=\"" + username + "\", realm=\"" + realm +
                          "\", nonce=\"" + nonce + "\", uri=\"" + uri + "\", response=\"" +
                          response + "\"";
        if (!algorithm.empty()) out += ", algorithm=" + algorithm;
        if (!qop.empty())
            out += ", qop=" + qop + ", nc=" + hex8(nc) + ", cnonce=\"" + cnonce + "\"";
        return out + extra;
    }

    crypto::Digester digester;
};

inline ports::UserRecord user_record(const std::string& name, const std::string& password) {
    crypto::Digester digester;
    ports::UserRecord record;
    record.name = name;
    record.realm = "example.test";
    record.domain = "example.test";
    record.ha1 = make_ha1(digester, name, record.realm, record.domain, password);
    return record;
}

/// An authenticator that knows alice, and a client with a fresh nonce.
struct AuthTest : testing::Test {
    crypto::TokenKeys keys = fixed_keys();
    Random random{{1, 2}};
    UserTable users;
    SourceGuard guard{{5, 6}};
    DigestAuthenticator authenticator{at(std::chrono::seconds(-1)), users, keys, guard};
    ports::Snapshot snapshot;
    Client client;
    IpAddress source = IpAddress::v4(198, 51, 100, 9);
    std::string request_uri = "sip:example.test";
    bool has_live_binding = false;

    AuthTest() {
        snapshot.auth.realm = "example.test";
        snapshot.domains = {"example.test"};
        users.update(user_record("alice", "open sesame"));
        client.nonce = fresh_nonce();
    }
    std::string fresh_nonce(Duration when = std::chrono::seconds(0)) {
        return std::string(make_nonce(at(when), random, {keys, 0, 0}, source).view());
    }
    Verdict verify(const std::string& header, Duration when = std::chrono::seconds(1)) {
        const auto credentials = sip::parse_credentials(header);
        EXPECT_TRUE(credentials) << header;
        if (!credentials) return {};
        return authenticator.verify(at(when), {ports::kDefaultTenant, client.method, *credentials,
                                               request_uri, source, snapshot, has_live_binding});
    }
    Verdict::Kind kind(Duration when = std::chrono::seconds(1)) {
        return verify(client.header(), when).kind;
    }
    Verdict::Kind kind_of(const std::string& header) { return verify(header).kind; }
};

}  // namespace signalbox::auth
