// Reads the answers of DNS that come as octets.
// Covers: RFC 1035 §4.1, RFC 2181 §8, RFC 2308 §5, RFC 2782, RFC 3403 §4.1; octets that are no
// answer.
#include "io/dns_message.h"

#include "tests/io/name_server.h"

namespace signalbox::io {
namespace {

using resolver::Outcome;
using resolver::RecordSet;
using resolver::RecordType;
using std::chrono::seconds;

constexpr uint16_t kCname = 5, kSoa = 6, kSrv = 33, kNaptr = 35;

std::string question() {
    return DnsText()
        .u16(1)
        .u16(0x100)
        .u16(1)
        .u16(0)
        .u16(0)
        .u16(0)
        .name("a.test")
        .u16(kSrv)
        .u16(1)
        .text();
}

DnsRecordText soa(uint32_t ttl, uint32_t minimum) {
    DnsText data;
    data.name("ns.test").name("root.test").u32(1).u32(2).u32(3).u32(4).u32(minimum);
    return {kSoa, ttl, data.text(), "test"};
}

TEST(DnsMessage_Rfc2782, ReadsSrvRecords) {
    DnsAnswerText answer;
    answer.answers = {{kSrv, 300, srv_data(10, 60, 5060, "One.Test"), {}},
                      {kSrv, 200, srv_data(20, 0, 5080, ""), {}}};
    const auto records = read_dns_answer(dns_message(question(), answer), RecordType::Srv);
    ASSERT_TRUE(records);
    EXPECT_EQ(records->outcome, Outcome::Found);
    EXPECT_EQ(records->ttl, seconds(200));
    ASSERT_EQ(records->services.size(), 2U);
    EXPECT_EQ(records->services[0], (resolver::SrvRecord{10, 60, 5060, "one.test"}));
    EXPECT_EQ(records->services[1].target, "");
}

TEST(DnsMessage_Rfc3403_4_1, ReadsNaptrRecords) {
    DnsAnswerText answer;
    answer.answers = {{kNaptr, 60, naptr_data(50, 40, "SIP+D2T", "_sip._tcp.a.test"), {}}};
    const auto records = read_dns_answer(dns_message(question(), answer), RecordType::Naptr);
    ASSERT_TRUE(records);
    ASSERT_EQ(records->pointers.size(), 1U);
    EXPECT_EQ(records->pointers[0],
              (resolver::NaptrRecord{50, 40, "s", "SIP+D2T", "", "_sip._tcp.a.test"}));
}

TEST(DnsMessage_Rfc1035_4_1, RecordsBehindAnAliasCountAndItsTtlToo) {
    DnsAnswerText answer;
    answer.answers = {{kCname, 30, DnsText().name("b.test").text(), {}},
                      {kSrv, 300, srv_data(1, 1, 5060, "one.test"), "b.test"}};
    const auto records = read_dns_answer(dns_message(question(), answer), RecordType::Srv);
    ASSERT_TRUE(records);
    EXPECT_EQ(records->services.size(), 1U);
    EXPECT_EQ(records->ttl, seconds(30));
}

TEST(DnsMessage_Rfc2308_5, NothingIsRememberedAsTheZoneSays) {
    DnsAnswerText answer;
    answer.authorities = {soa(900, 120)};
    auto records = read_dns_answer(dns_message(question(), answer), RecordType::Srv);
    ASSERT_TRUE(records);
    EXPECT_EQ(records->outcome, Outcome::None);
    EXPECT_EQ(records->ttl, seconds(120));
    answer.authorities = {soa(60, 120)};
    EXPECT_EQ(read_dns_answer(dns_message(question(), answer), RecordType::Srv)->ttl, seconds(60));
    answer.authorities.clear();
    EXPECT_EQ(read_dns_answer(dns_message(question(), answer), RecordType::Srv)->ttl, seconds(10));
}

TEST(DnsMessage_Rfc2181_8, ATtlWithTheHighestBitIsZero) {
    DnsAnswerText answer;
    answer.answers = {{kSrv, 0x80000001, srv_data(1, 1, 5060, "one.test"), {}}};
    EXPECT_EQ(read_dns_answer(dns_message(question(), answer), RecordType::Srv)->ttl, seconds(0));
}

TEST(DnsMessage_Behaviour, TooManyRecordsAreNotRead) {
    DnsAnswerText answer;
    for (uint16_t i = 0; i < 200; ++i) {
        answer.answers.push_back({kSrv, 60, srv_data(i, 1, 5060, "one.test"), {}});
    }
    const auto records = read_dns_answer(dns_message(question(), answer), RecordType::Srv);
    ASSERT_TRUE(records);
    EXPECT_EQ(records->services.size(), RecordSet::kRecordsMax);
}

TEST(DnsMessage_Behaviour, NoPartOfAMessageIsTrusted) {
    DnsAnswerText answer;
    answer.answers = {{kSrv, 60, srv_data(1, 1, 5060, "one.test"), {}},
                      {kSrv, 60, srv_data(2, 1, 5060, "two.test"), {}}};
    const std::string whole = dns_message(question(), answer);
    for (size_t size = 0; size < whole.size(); ++size) {
        const auto records = read_dns_answer(whole.substr(0, size), RecordType::Srv);
        EXPECT_FALSE(records) << size;
    }
    for (size_t at = 0; at < whole.size(); ++at) {
        for (const char octet : {'\x00', '\x3f', '\xc0', '\xff'}) {
            std::string broken = whole;
            broken[at] = octet;
            read_dns_answer(broken, RecordType::Srv);
            read_dns_answer(broken, RecordType::Naptr);
        }
    }
}

}  // namespace
}  // namespace signalbox::io
