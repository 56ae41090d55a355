// What the tests of registrar/ share: a phone's REGISTER and a registrar with its world.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "registrar/registrar.h"

namespace signalbox::registrar {

using std::chrono::seconds;

inline constexpr WallTime kWallStart = WallTime(seconds(1'700'000'000));

/// A phone's REGISTER as text.
struct Register {
    std::vector<std::string> headers;
    std::string call_id = "reg-1";
    uint32_t cseq = 1;

    Register& with(std::string header) {
        headers.push_back(std::move(header));
        return *this;
    }
    Register& contact(const std::string& value) { return with("Contact: " + value); }
    std::string text() const {
        std::string out =
            "REGISTER sip:example.test SIP/2.0\r\n"
            "Via: SIP/2.0/UDP 198.51.100.9:5062;branch=z9hG4bKr1\r\n"
            "From: <sip:alice@example.test>;tag=f1\r\n"
            "To: <sip:alice@example.test>\r\n"
            "Call-ID: " +
            call_id + "\r\nCSeq: " + std::to_string(cseq) + " REGISTER\r\n";
        for (const std::string& header : headers) out += header + "\r\n";
        return out + "Content-Length: 0\r\n\r\n";
    }
};

inline Register reg(uint32_t cseq, std::string call_id = "reg-1") {
    Register made;
    made.cseq = cseq;
    made.call_id = std::move(call_id);
    return made;
}

inline crypto::TokenKeys make_keys() {
    crypto::TokenKey key;
    key.id = 1;
    key.secret.fill(7);
    key.not_after = kWallStart + std::chrono::hours(24);
    return crypto::TokenKeys(std::span<const crypto::TokenKey>(&key, 1));
}

struct RegistrarTest : testing::Test {
    TimerWheel wheel{Instant{}};
    Counters counters;
    location::Location location{{0, 0, 100}, wheel, counters};
    Random random{{1, 2}};
    crypto::TokenKeys keys = make_keys();
    Registrar registrar{{location, counters, random, keys}};
    ports::Snapshot snapshot;
    ports::Outbox out;
    transport::Flow flow;
    std::string response;
    Duration time{};

    RegistrarTest() {
        snapshot.version = 11;
        snapshot.registrar.expires_spread_percent = 0;
        flow.local = {IpAddress::v4(192, 0, 2, 1), 5060};
        flow.remote = {IpAddress::v4(198, 51, 100, 9), 5062};
    }
    Now now() const {
        return {Instant(time), kWallStart + std::chrono::duration_cast<WallTime::duration>(time)};
    }
    int send(const Register& request, std::string_view aor = "alice") {
        const std::string text = request.text();
        sip::MessageView view;
        EXPECT_TRUE(sip::parse_message(text, view)) << text;
        const RegisterContext context{ports::kDefaultTenant, aor, snapshot, "to-1"};
        return registrar.process(now(), view, flow, context, out, response);
    }
    std::vector<std::string> contacts(std::string_view aor = "alice") {
        std::vector<std::string> found;
        for (const auto& each : location.lookup(now(), ports::kDefaultTenant, aor)) {
            found.emplace_back(each.record.contact);
        }
        return found;
    }
    /// The values of a header field of the last response.
    std::vector<std::string> values(const std::string& name) const {
        std::vector<std::string> found;
        const std::string begin = "\r\n" + name + ": ";
        for (size_t at = response.find(begin); at != std::string::npos;
             at = response.find(begin, at + 1)) {
            const size_t value = at + begin.size();
            found.push_back(response.substr(value, response.find("\r\n", value) - value));
        }
        return found;
    }
    std::string status_line() const { return response.substr(0, response.find("\r\n")); }
};

using Texts = std::vector<std::string>;

}  // namespace signalbox::registrar
