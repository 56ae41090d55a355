// What makes two requests the same for the detection of loops.
// Covers: RFC 3261 §16.3 step 4, §16.6 step 8, RFC 5393 §4.2. Not covered: the 482
// (request_validation_test of the core).
#include "proxy/loop_detection.h"

#include <gtest/gtest.h>

#include "tests/proxy/support.h"
#include "transaction/branch.h"

namespace signalbox::proxy {
namespace {

using testing::kNow;
using testing::Read;
using testing::request_text;

struct LoopTest : ::testing::Test {
    crypto::TokenKeys keys = testing::token_keys();

    uint64_t hash(const std::string& text) {
        const Read read(text);
        const Routing routing = *preprocess_route(*read, keys, kNow);
        return loop_hash(*read, routing, decide_relay(*read, routing), keys.current().siphash_key);
    }
    uint64_t hash(const std::string& uri, const std::vector<std::string>& lines) {
        return hash(request_text("INVITE " + uri, lines));
    }
    static std::string replaced(std::string text, std::string_view what, std::string_view by) {
        text.replace(text.find(what), what.size(), by);
        return text;
    }
};

using LoopDetection_Rfc5393_4_2 = LoopTest;

TEST_F(LoopDetection_Rfc5393_4_2, WhatDecidesTheWayDecidesTheHash) {
    const std::string text = request_text("INVITE sip:b@example.test", {});
    const uint64_t base = hash(text);
    EXPECT_EQ(hash(text), base);
    EXPECT_NE(hash("sip:c@example.test", {}), base);
    EXPECT_NE(hash("sip:b@example.test", {"Route: <sip:203.0.113.1;lr>"}), base);
    EXPECT_NE(hash(replaced(text, "CSeq: 1", "CSeq: 2")), base);
    EXPECT_NE(hash(replaced(text, "Call-ID: call-1", "Call-ID: call-2")), base);
    EXPECT_NE(hash(replaced(text, "tag=a1", "tag=a2")), base);
}

TEST_F(LoopDetection_Rfc5393_4_2, WhatDoesNotDecideTheWayDoesNot) {
    const std::string text = request_text("INVITE sip:b@example.test", {});
    const uint64_t base = hash(text);
    EXPECT_EQ(hash("sip:b@example.test",
                   {"Via: SIP/2.0/UDP 203.0.113.1;branch=z9hG4bKx", "Max-Forwards: 3"}),
              base);
    EXPECT_EQ(hash("sip:b@example.test", {"Route: <sip:192.0.2.1;lr>"}), base);
    EXPECT_EQ(hash("sip:b@example.test", {"Proxy-Authorization: Digest a", "Proxy-Require: x"}),
              base);
    EXPECT_EQ(hash(request_text("CANCEL sip:b@example.test", {})), base);
    EXPECT_EQ(hash(request_text("ACK sip:b@example.test", {}, "b1")), base);
}

TEST_F(LoopDetection_Rfc5393_4_2, AnAddressOfRecordIsTheSameHoweverItIsWritten) {
    const uint64_t base = hash("sip:b@example.test", {});
    for (const char* uri : {"sip:b@example.test;x=1", "sip:%62@EXAMPLE.test;transport=tcp",
                            "sip:b@192.0.2.1", "sip:b@192.0.2.1:5060?Subject=1"}) {
        EXPECT_EQ(hash(uri, {}), base) << uri;
    }
    EXPECT_NE(hash("sip:b@example.test;gr=one", {}), base);
}

TEST_F(LoopDetection_Rfc5393_4_2, AForeignTargetIsItsWholeUri) {
    EXPECT_NE(hash("sip:b@elsewhere.test;x=1", {}), hash("sip:b@elsewhere.test;x=2", {}));
    EXPECT_NE(hash("sip:b@example.test;maddr=203.0.113.1", {}),
              hash("sip:b@example.test;maddr=203.0.113.2", {}));
}

TEST_F(LoopDetection_Rfc5393_4_2, OurViaWithTheSameHashIsALoop) {
    transaction::BranchFields fields;
    fields.loop_hash = 77;
    const std::string ours(transaction::make_branch(fields, keys).view());
    const std::string lower =
        "SIP/2.0/UDP 203.0.113.1;branch=z9hG4bKx, SIP/2.0/UDP 192.0.2.1:5060;branch=" + ours;
    const Read read(request_text("INVITE sip:b@example.test", {"Via: " + lower}));
    EXPECT_TRUE(is_loop(*read, 77, keys, kNow));
    EXPECT_FALSE(is_loop(*read, 78, keys, kNow));
    const crypto::TokenKeys others = testing::token_keys(9);
    EXPECT_FALSE(is_loop(*read, 77, others, kNow));
}

TEST_F(LoopDetection_Rfc5393_4_2, AMalformedLowerViaEndsTheSearch) {
    const Read read(request_text("INVITE sip:b@example.test", {"Via: nonsense"}));
    EXPECT_FALSE(is_loop(*read, 0, keys, kNow));
}

}  // namespace
}  // namespace signalbox::proxy
