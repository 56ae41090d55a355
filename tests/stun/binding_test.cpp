// STUN keep-alives.
// Covers: RFC 5389 §6 (recognition), §7.3.1 (unknown attributes), §15.2 (XOR-MAPPED-ADDRESS), §15.5
// (FINGERPRINT), §15.9 (UNKNOWN-ATTRIBUTES); RFC 5769 §2.1 (its sample request), §2.2, §2.3 (the
// mapped addresses of its sample responses). Not covered: credentials: a keep-alive has none.
#include "stun/binding.h"

#include <gtest/gtest.h>

#include <string>

namespace signalbox::stun {
namespace {

const Endpoint kSource{IpAddress::v4(192, 0, 2, 1), 32853};

std::string request(const std::string& attributes = {}, char type = 1) {
    std::string text;
    text += '\0';
    text += type;
    text += '\0';
    text += static_cast<char>(attributes.size());
    text += "\x21\x12\xa4\x42";
    text += "\xb7\xe7\xa7\x01\xbc\x34\xd6\x86\xfa\x87\xdf\xae";
    return text + attributes;
}

TEST(StunBinding_Rfc5389_15_2, AnswersWithTheSourceAsRfc5769Shows) {
    const auto answer = answer_binding_request(request(), kSource);
    ASSERT_TRUE(answer);
    const std::string expected =
        std::string("\x01\x01\x00\x0c", 4) + request().substr(4) +
        std::string("\x00\x20\x00\x08\x00\x01\xa1\x47\xe1\x12\xa6\x43", 12);
    EXPECT_EQ(answer->view(), expected);
}

TEST(StunBinding_Rfc5389_15_2, AnswersOverIpv6) {
    const Endpoint source{*IpAddress::parse("2001:db8:1234:5678:11:2233:4455:6677"), 32853};
    const auto answer = answer_binding_request(request(), source);
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->view().substr(20),
              std::string("\x00\x20\x00\x14\x00\x02\xa1\x47\x01\x13\xa9\xfa\xa5\xd3\xf1\x79\xbc\x25"
                          "\xf4\xb5\xbe\xd2\xb9\xd9",
                          24));
}

TEST(StunBinding_Rfc5389_7_3_1, UnknownAttributesThatMustBeUnderstoodAre420) {
    // CHANGE-REQUEST of RFC 3489 must be understood; SOFTWARE need not be.
    const std::string change("\x00\x03\x00\x04\x00\x00\x00\x06", 8);
    const std::string software(
        "\x80\x22\x00\x03"
        "abc\x00",
        8);
    EXPECT_EQ(answer_binding_request(request(software), kSource)->view().substr(0, 2), "\x01\x01");
    const auto answer = answer_binding_request(request(software + change), kSource);
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->view().substr(0, 2), "\x01\x11");
    EXPECT_EQ(answer->view().substr(20),
              std::string("\x00\x09\x00\x04\x00\x00\x04\x14\x00\x0a\x00\x02\x00\x03\x00\x00", 16));
}

TEST(StunBinding_Rfc5389_15_9, EachUnknownAttributeIsNamedInTwoOctets) {
    const auto attribute = [](char type) { return std::string({'\0', type, '\0', '\0'}); };
    const auto named = [&](const std::string& attributes) {
        return std::string(answer_binding_request(request(attributes), kSource)->view().substr(28));
    };
    EXPECT_EQ(named(attribute(0x24) + attribute(0x25)),
              std::string("\x00\x0a\x00\x04\x00\x24\x00\x25", 8));
    EXPECT_EQ(named(attribute(0x24) + attribute(0x06) + attribute(0x26) + attribute(0x25)),
              std::string("\x00\x0a\x00\x06\x00\x24\x00\x26\x00\x25\x00\x00", 12))
        << "the length is that without the padding";
}

TEST(StunBinding_Rfc5389_6, SipIsNeverTakenForStun) {
    EXPECT_TRUE(is_stun(request()));
    EXPECT_FALSE(is_stun("OPTIONS sip:a@b SIP/2.0\r\n"));
    EXPECT_FALSE(is_stun(std::string(20, '\0')));
    EXPECT_FALSE(is_stun(request().substr(0, 19)));
}

TEST(StunBinding_Rfc5389_6, WhatIsNoWholeRequestGetsNoAnswer) {
    EXPECT_FALSE(answer_binding_request(request({}, 0x11), kSource)) << "an indication";
    EXPECT_FALSE(answer_binding_request(request() + "more", kSource));
    EXPECT_FALSE(answer_binding_request(request(std::string("\x80\x22\x00\x09"
                                                            "abcd",
                                                            8)),
                                        kSource));
    std::string odd = request(std::string("\x80\x22\x00", 3));
    EXPECT_FALSE(answer_binding_request(odd, kSource));
}

/// RFC 5769 §2.1: the attributes of the sample request.
const std::string kSample(
    "\x80\x22\x00\x10STUN test client"
    "\x00\x24\x00\x04\x6e\x00\x01\xff"
    "\x80\x29\x00\x08\x93\x2f\xf9\xb1\x51\x26\x3b\x36"
    "\x00\x06\x00\x09\x65\x76\x74\x6a\x3a\x68\x36\x76\x59\x20\x20\x20"
    "\x00\x08\x00\x14\x9a\xea\xa7\x0c\xbf\xd8\xcb\x56\x78\x1e\xf2\xb5\xb2\xd3\xf2\x49\xc1\xb5\x71"
    "\xa2"
    "\x80\x28\x00\x04\xe5\x7a\x3b\xcf",
    88);

TEST(StunBinding_Rfc5389_15_5, ARightFingerprintIsAnswered) {
    const auto answer = answer_binding_request(request(kSample), kSource);
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->view().substr(0, 2), "\x01\x11") << "PRIORITY is not understood";
}

TEST(StunBinding_Rfc5389_15_5, AWrongFingerprintGetsNoAnswer) {
    for (size_t at = 0; at < 4; ++at) {
        std::string wrong = request(kSample);
        wrong[wrong.size() - 1 - at] ^= 1;
        EXPECT_FALSE(answer_binding_request(wrong, kSource)) << at;
    }
    std::string changed = request(kSample);
    changed[30] ^= 1;
    EXPECT_FALSE(answer_binding_request(changed, kSource));
    EXPECT_FALSE(answer_binding_request(request(std::string("\x80\x28\x00\x00", 4)), kSource));
    const std::string behind("\x80\x22\x00\x00", 4);
    EXPECT_FALSE(answer_binding_request(request(kSample + behind), kSource)) << "it is the last";
}

TEST(StunBinding_Behaviour, AnswerIsNeverMuchLongerThanTheRequest) {
    std::string attributes;
    for (char type = 0x40; type < 0x60; ++type) {
        attributes += std::string("\x00", 1) + type + std::string("\x00\x00", 2);
    }
    std::string text = request();
    text[3] = static_cast<char>(attributes.size());
    const auto answer = answer_binding_request(text + attributes, kSource);
    ASSERT_TRUE(answer);
    EXPECT_LE(answer->size, 48U);
}

}  // namespace
}  // namespace signalbox::stun
