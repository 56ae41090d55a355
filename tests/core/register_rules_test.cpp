// Rules of the RFC for registrations that a registrar keeps without noticing, seen on the wire.
// Covers: RFC 3261 §10.1, §10.2, §10.3 (Record-Route, order, canonical address of record, no 6xx).
// Not covered: the bindings themselves (registrar_test).
#include <gtest/gtest.h>

#include "tests/core/core_harness.h"

namespace signalbox::core::testing {
namespace {

using std::chrono::seconds;

ports::Snapshot trusting() {
    ports::Snapshot snapshot = default_snapshot();
    snapshot.trusted = {*Network::parse("198.51.100.0/24")};
    return snapshot;
}

/// A trusted phone: no challenge stands between a test and its rule.
struct RegisterRulesTest : ::testing::Test {
    World world{trusting()};
    Phone& dora = world.registered("dora", "198.51.100.40:5060");

    RequestText fetch(const std::string& to = "<sip:dora@example.test>") {
        RequestText request = dora.make("REGISTER", "sip:example.test");
        request.to = to;
        request.contact.clear();
        return request;
    }
    RequestText binds(const std::string& contact,
                      const std::string& to = "<sip:dora@example.test>") {
        RequestText request = fetch(to);
        request.contact = contact;
        return request;
    }
    std::string expiry_of(const RequestText& request) {
        const Outgoing accepted = dora.send(request).expect(200);
        for (const std::string& contact : accepted.response().values("Contact")) {
            if (contact.find("@x.test") != std::string::npos) return contact;
        }
        return "none";
    }
};

using RegisterRules_Rfc3261_10_2 = RegisterRulesTest;
using RegisterRules_Rfc3261_10_3 = RegisterRulesTest;

TEST_F(RegisterRules_Rfc3261_10_2, WithoutItsFieldsItIsRefused) {
    RequestText request = fetch();
    request.to.clear();
    dora.send_text(request.text());
    EXPECT_EQ(dora.expect(400).reason(), "Missing To");
    request = fetch();
    request.from.clear();
    dora.send_text(request.text());
    EXPECT_EQ(dora.expect(400).reason(), "Missing From");
}

TEST_F(RegisterRules_Rfc3261_10_2, AUserPartInTheRequestUriDoesNotMatter) {
    RequestText request = binds("<sip:a@x.test>");
    request.uri = "sip:dora@example.test";
    EXPECT_EQ(expiry_of(request), "<sip:a@x.test>;expires=3600");
}

TEST_F(RegisterRules_Rfc3261_10_2, AnAddressOfRecordOfAnotherSchemeIsRefused) {
    dora.send(fetch("<mailto:dora@example.test>")).expect(404);
    dora.send(fetch("<urn:service:sos>")).expect(404);
}

TEST_F(RegisterRules_Rfc3261_10_2, ASkippedCSeqIsNoFault) {
    RequestText request = binds("<sip:a@x.test>");
    dora.send(request).expect(200);
    request.via = dora.fresh_via();
    request.cseq = 900;
    dora.send(request).expect(200);
}

TEST_F(RegisterRules_Rfc3261_10_3, RecordRouteIsPassedOverAndNotGivenBack) {
    RequestText request = binds("<sip:a@x.test>");
    const Outgoing accepted =
        dora.send(request.with("Record-Route: <sip:198.51.100.66;lr>")).expect(200);
    EXPECT_FALSE(accepted.response().has("Record-Route"));
    Outgoing refused =
        dora.send(binds("*").with("Record-Route: <sip:198.51.100.66;lr>")).expect(400);
    EXPECT_FALSE(refused.response().has("Record-Route"));
}

TEST_F(RegisterRules_Rfc3261_10_3, RequestsAreServedInTheirOrder) {
    RequestText first = binds("<sip:a@x.test>;expires=600");
    RequestText second = first;
    second.via = dora.fresh_via();
    second.cseq = first.cseq + 1;
    second.contact = "<sip:a@x.test>;expires=0";
    dora.send_text(first.text());
    dora.send_text(second.text());
    EXPECT_EQ(dora.expect(200).values("Contact").size(), 2U);
    EXPECT_EQ(dora.expect(200).values("Contact").size(), 1U);
    first.via = dora.fresh_via();  // the first one once more, by a longer way
    dora.send(first).expect(200);
    EXPECT_EQ(expiry_of(fetch()), "<sip:a@x.test>;expires=600");
}

TEST_F(RegisterRules_Rfc3261_10_3, ARequiredExtensionIsRefused) {
    const Outgoing refused =
        dora.send(binds("<sip:a@x.test>").with("Require: time-travel, tea")).expect(420);
    EXPECT_EQ(refused.response().values("Unsupported"),
              (std::vector<std::string>{"time-travel", "tea"}));
    EXPECT_EQ(expiry_of(fetch()), "none");
}

TEST_F(RegisterRules_Rfc3261_10_3, ParametersAndEscapesDoNotChangeTheAddressOfRecord) {
    dora.send(binds("<sip:a@x.test>", "<sip:%64ora@EXAMPLE.test;user=ip;transport=tcp;x=1>"))
        .expect(200);
    EXPECT_EQ(expiry_of(fetch()), "<sip:a@x.test>;expires=3600");
    dora.send(binds("<sip:a@x.test>;expires=0",
                    "\"Dora\" <sip:dora:secret@example.test;maddr=192.0.2.1>"))
        .expect(200);
    EXPECT_EQ(expiry_of(fetch()), "none");
}

TEST_F(RegisterRules_Rfc3261_10_3, TheExpiryIsParameterThenFieldThenDefault) {
    EXPECT_EQ(expiry_of(binds("<sip:a@x.test>;expires=300").with("Expires: 400")),
              "<sip:a@x.test>;expires=300");
    EXPECT_EQ(expiry_of(binds("<sip:a@x.test>").with("Expires: 400")),
              "<sip:a@x.test>;expires=400");
    EXPECT_EQ(expiry_of(binds("<sip:a@x.test>")), "<sip:a@x.test>;expires=3600");
}

TEST_F(RegisterRules_Rfc3261_10_3, AskedForTenSecondsItSaysWhatItGrantsAndRaisesNothingSilently) {
    RequestText request = binds("<sip:a@x.test>;expires=10");
    Outgoing refused = dora.send(request).expect(423);
    EXPECT_EQ(refused.response().header("Min-Expires"), "60");
    EXPECT_EQ(expiry_of(fetch()), "none");
    request.via = dora.fresh_via();
    request.cseq = 2;
    request.contact = "<sip:a@x.test>;expires=60";
    EXPECT_EQ(expiry_of(request), "<sip:a@x.test>;expires=60");
}

TEST_F(RegisterRules_Rfc3261_10_3, NoRefusalIsA6xx) {
    const std::vector<RequestText> requests = {
        binds("*"),
        binds("<sip:a@x.test>;expires=1"),
        binds("<mailto:a@x.test>;+sip.instance=\"<urn:uuid:1>\""),
        binds("<sip:"),
        binds("<sip:a@x.test>;q=9"),
        binds("<sip:a@x.test>", "<sip:nobody@elsewhere.test>"),
        binds("<sip:a@x.test>").with("Require: x"),
        binds("<sip:a@x.test>").with("Contact: *").with("Expires: 0")};
    for (const RequestText& request : requests) {
        dora.send_text(request.text());
        const Message response = dora.take();
        EXPECT_GE(response.status(), 400);
        EXPECT_LT(response.status(), 600);
    }
}

}  // namespace
}  // namespace signalbox::core::testing
