// Damaged messages in the middle of calls: the core neither fails nor sends what is no SIP message,
// and forgets everything in the end. Covers: robustness of the whole core against one damaged
// field, line or octet at a time (RFC 3261 §26.1, RFC 4475 in spirit). Not covered: octets without
// structure (fuzz targets).
#include <gtest/gtest.h>

#include "base/random.h"
#include "tests/core/core_harness.h"

namespace signalbox::core::testing {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

/// One small damage.
std::string damaged(std::string text, Random& random) {
    static constexpr std::string_view kPieces[] = {"\r\n",
                                                   ",",
                                                   ";",
                                                   "<",
                                                   ">",
                                                   "\"",
                                                   "\\",
                                                   "%",
                                                   "@",
                                                   ":",
                                                   " ",
                                                   "0",
                                                   "4294967296",
                                                   ";tag=x",
                                                   "sip:",
                                                   ";lr",
                                                   ";maddr=192.0.2.1",
                                                   ";transport=tcp",
                                                   "<sip:192.0.2.1;lr>",
                                                   "*",
                                                   "\t",
                                                   "[2001:db8::1]",
                                                   ";branch=z9hG4bK",
                                                   std::string_view("\0", 1),
                                                   "\xff"};
    const size_t at = random.below(text.size() + 1);
    const auto line_at = [&text](size_t from) { return text.rfind("\r\n", from); };
    switch (random.below(6)) {
        case 0:
            return text.erase(at, 1 + random.below(4));
        case 1:
            return text.insert(at, kPieces[random.below(std::size(kPieces))]);
        case 2:
            return at < text.size() ? text.replace(at, 1, 1, static_cast<char>(random.below(256)))
                                    : text;
        case 3: {  // a line less
            const size_t begin = line_at(at);
            const size_t end = begin == std::string::npos ? begin : text.find("\r\n", begin + 2);
            return end == std::string::npos ? text : text.erase(begin, end - begin);
        }
        case 4: {  // a line twice
            const size_t begin = line_at(at);
            const size_t end = begin == std::string::npos ? begin : text.find("\r\n", begin + 2);
            return end == std::string::npos
                       ? text
                       : text.insert(begin, std::string(text, begin, end - begin));
        }
        default:
            return text.substr(0, at);
    }
}

struct Mutation_Behaviour : ::testing::TestWithParam<uint64_t> {};

TEST_P(Mutation_Behaviour, DamagedMessagesHarmNobody) {
    Random random({GetParam(), 99});
    ports::Snapshot snapshot = default_snapshot();
    snapshot.trusted = {*Network::parse("198.51.100.10")};
    if (GetParam() % 3 == 2) snapshot.proxy.mode = ports::ProxyMode::Stateless;
    World world{snapshot, static_cast<uint8_t>(1 + GetParam() % 2)};
    Phone& alice = world.stranger();
    Phone& bob = world.registered("bob", "198.51.100.20:5060");
    world.add_user(user_record("dora"));
    Phone& dora = world.phone({"dora", "example.test", "198.51.100.40:5060", {}, {}});
    const auto send = [&](Phone& from, const std::string& text) {
        if (random.below(3) == 0) from.send_text(damaged(text, random));
        if (random.below(8) != 0) from.send_text(text);
    };
    for (int round = 0; round < 250; ++round) {
        RequestText invite = alice.make("INVITE", bob.aor());
        if (random.below(2) == 0) invite.routes = {"<sip:192.0.2.1;lr>"};
        send(alice, invite.text());
        std::vector<Message> sent;
        while (!bob.is_silent()) sent.push_back(bob.take());
        for (const Message& request : sent) {
            if (!request.is_request() || request.method() == "ACK") continue;
            const Incoming leg(bob, request);
            if (random.below(2) == 0) send(bob, leg.response(180));
            if (random.below(6) == 0) {
                RequestText cancel = invite;
                cancel.method = "CANCEL";
                send(alice, cancel.text());
            }
            send(bob, leg.response(random.below(2) == 0 ? 200 : 486));
            Dialog at_bob = leg.dialog();
            send(bob, bob.make_in(at_bob, "BYE").text());
        }
        while (!alice.is_silent()) {
            const Message got = alice.take();
            if (got.is_request() && got.method() != "ACK")
                send(alice, Incoming(alice, got).response(200));
            if (got.is_request() || got.status() != 200) continue;
            Dialog dialog{got.header("Call-ID"),      invite.from,
                          got.header("To"),           uri_of(got.header("Contact")),
                          got.values("Record-Route"), 1};
            send(alice, alice.make_in(dialog, "ACK").text());
            send(alice, alice.make_in(dialog, "INFO").text());
        }
        const RequestText reg = dora.registration();
        dora.send_text(reg.text());
        while (!dora.is_silent()) {
            const Message got = dora.take();
            if (!got.is_request() && got.status() == 401)
                send(dora, dora.with_credentials(reg, got, "secret").text());
        }
        if (random.below(4) == 0) world.wait(seconds(random.below(40)));
        while (!world.dns.empty()) {
            const ports::DnsRequest request = world.dns.back();
            world.dns.pop_back();
            if (random.below(2) == 0) world.answer_dns(request, {"203.0.113.9"});
        }
    }
    world.wait(hours(25));
    EXPECT_TRUE(world.is_empty());
    EXPECT_EQ(world.count(Counter::calls_started_total), world.count(Counter::calls_ended_total));
}

INSTANTIATE_TEST_SUITE_P(Seeds, Mutation_Behaviour, ::testing::Range<uint64_t>(1, 25));

}  // namespace
}  // namespace signalbox::core::testing
