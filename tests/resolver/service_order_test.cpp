// The order in which services and their servers are tried.
// Covers: RFC 2782 (priority and weight), RFC 3263 §4.1 (choice of NAPTR), RFC 3403 §4.1 (order,
// preference, flags).
#include "resolver/service_order.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

namespace signalbox::resolver {
namespace {

using transport::Transport;

std::vector<std::string> targets(const std::vector<SrvRecord>& records) {
    std::vector<std::string> names;
    for (const SrvRecord& record : records) names.push_back(record.target);
    return names;
}

TransportSet udp_and_tcp() {
    TransportSet set;
    set.add(Transport::Udp);
    set.add(Transport::Tcp);
    return set;
}

TEST(ServiceOrder_Rfc2782, LowerPrioritiesStandFirst) {
    Random random({1, 2});
    EXPECT_EQ(targets(in_order_of_trial({{20, 0, 5060, "b"}, {10, 0, 5060, "a"}, {30, 0, 1, "c"}},
                                        random)),
              (std::vector<std::string>{"a", "b", "c"}));
}

TEST(ServiceOrder_Rfc2782, WeightsShareTheFirstPlaceInProportion) {
    Random random({1, 2});
    std::map<std::string, int> first;
    for (int i = 0; i < 8000; ++i) {
        const auto order =
            in_order_of_trial({{1, 60, 1, "a"}, {1, 20, 1, "b"}, {1, 20, 1, "c"}}, random);
        EXPECT_EQ(order.size(), 3U);
        ++first[order[0].target];
    }
    EXPECT_NEAR(first["a"], 4800, 250);
    EXPECT_NEAR(first["b"], 1600, 200);
    EXPECT_NEAR(first["c"], 1600, 200);
}

TEST(ServiceOrder_Rfc2782, WeightZeroIsChosenSeldomButNotNever) {
    Random random({3, 4});
    int zero_first = 0;
    for (int i = 0; i < 5000; ++i) {
        zero_first +=
            in_order_of_trial({{1, 99, 1, "heavy"}, {1, 0, 1, "zero"}}, random)[0].target == "zero";
    }
    EXPECT_GT(zero_first, 10);
    EXPECT_LT(zero_first, 150);
}

TEST(ServiceOrder_Rfc2782, TheSameDrawsGiveTheSameOrderHoweverTheAnswerWasRotated) {
    std::vector<SrvRecord> records;
    for (uint16_t i = 0; i < 20; ++i) records.push_back({1, i, 5060, "s" + std::to_string(i)});
    Random first({5, 6}), second({5, 6});
    const auto order = in_order_of_trial(records, first);
    std::rotate(records.begin(), records.begin() + 7, records.end());
    EXPECT_EQ(in_order_of_trial(records, second), order);
}

TEST(ServicePointers_Rfc3263_4_1, AreOrderedByOrderAndPreference) {
    const auto pointers = usable_pointers({{20, 1, "s", "SIP+D2T", "", "_sip._tcp.late"},
                                           {10, 9, "S", "sip+d2t", "", "_sip._tcp.second"},
                                           {10, 1, "s", "SIP+D2U", "", "_sip._udp.first"}},
                                          udp_and_tcp(), false);
    ASSERT_EQ(pointers.size(), 3U);
    EXPECT_EQ(pointers[0].replacement, "_sip._udp.first");
    EXPECT_EQ(pointers[0].transport, Transport::Udp);
    EXPECT_EQ(pointers[1].replacement, "_sip._tcp.second");
    EXPECT_EQ(pointers[2].transport, Transport::Tcp);
}

TEST(ServicePointers_Rfc3263_4_1, WhatWeDoNotSpeakOrCannotReadIsLeftOut) {
    const std::vector<NaptrRecord> records{{1, 1, "s", "SIP+D2S", "", "_sip._sctp.a"},
                                           {1, 2, "s", "SIP+D2W", "", "_sip._ws.a"},
                                           {1, 3, "u", "E2U+sip", "!^.*$!sip:a@b!", ""},
                                           {1, 4, "s", "SIP+D2U", "!x!y!", "a"},
                                           {1, 5, "s", "SIP+D2U", "", ""},
                                           {1, 6, "p", "SIP+D2U", "", "a"}};
    EXPECT_TRUE(usable_pointers(records, udp_and_tcp(), false).empty());
}

TEST(ServicePointers_Rfc3263_4_1, ATransportAtWhichWeDoNotListenIsLeftOut) {
    TransportSet only_udp;
    only_udp.add(Transport::Udp);
    EXPECT_TRUE(
        usable_pointers({{1, 1, "s", "SIP+D2T", "", "_sip._tcp.a"}}, only_udp, false).empty());
}

TEST(ServicePointers_Rfc3263_4_1, SipsIsNeverDowngraded) {
    EXPECT_TRUE(usable_pointers({{1, 1, "s", "SIP+D2U", "", "_sip._udp.a"},
                                 {1, 2, "s", "SIP+D2T", "", "_sip._tcp.a"}},
                                udp_and_tcp(), true)
                    .empty());
}

TEST(ServicePointers_Rfc3403_4_1, FlagAPointsToAddresses) {
    const auto pointers =
        usable_pointers({{1, 1, "A", "SIP+D2T", "", "host.a"}}, udp_and_tcp(), false);
    ASSERT_EQ(pointers.size(), 1U);
    EXPECT_TRUE(pointers[0].is_terminal);
}

}  // namespace
}  // namespace signalbox::resolver
