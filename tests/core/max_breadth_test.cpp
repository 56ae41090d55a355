// Max-Breadth on the wire, and what becomes of a request that comes back again and again.
// Covers: RFC 5393 §4.2 (with changed URI parameters), §5.3.3, §5.3.4, §6. Not covered: the
// arithmetic (fork_strategy_test).
#include <gtest/gtest.h>

#include "tests/core/core_harness.h"

namespace signalbox::core::testing {
namespace {

using std::chrono::seconds;

struct BreadthTest : ::testing::Test {
    World world;
    Phone& alice = world.stranger();
    Phone& bob = world.registered("bob", "198.51.100.20:5060");

    RequestText invite(const std::string& breadth = {}) {
        RequestText request = alice.make("INVITE", bob.aor());
        if (!breadth.empty()) request.with("Max-Breadth: " + breadth);
        return request;
    }
    Phone& more(const std::string& address) {
        Phone& phone = world.phone({"bob", "example.test", address, {}, {}});
        world.bind("bob", phone);
        return phone;
    }
    static std::string breadth_at(Phone& phone) {
        return phone.expects("INVITE").message().header("Max-Breadth");
    }
};

using MaxBreadth_Rfc5393_5_3_3 = BreadthTest;
using MaxBreadth_Rfc5393_5_3_4 = BreadthTest;
using MaxBreadth_Rfc5393_6 = BreadthTest;
using ForkBomb_Rfc5393_4_2 = BreadthTest;

TEST_F(MaxBreadth_Rfc5393_5_3_3, IsAddedWhereItIsMissing) {
    alice.send(invite());
    EXPECT_EQ(breadth_at(bob), "60");
}

TEST_F(MaxBreadth_Rfc5393_5_3_3, IsLeftAsItIsForOneBranchAndCutToOurMaximum) {
    alice.send(invite("7"));
    EXPECT_EQ(breadth_at(bob), "7");
    alice.send(invite("1000"));
    EXPECT_EQ(breadth_at(bob), "60");
}

TEST_F(MaxBreadth_Rfc5393_5_3_3, ThereIsExactlyOne) {
    alice.send(invite("7").with("Max-Breadth: 9"));
    EXPECT_EQ(bob.expects("INVITE").message().values("Max-Breadth"), std::vector<std::string>{"7"});
}

TEST_F(MaxBreadth_Rfc5393_6, OfNothingGets440) {
    Outgoing call = alice.send(invite("0")).expect(440);
    EXPECT_EQ(call.response().reason(), "Max-Breadth Exceeded");
    EXPECT_EQ(world.count(Counter::max_breadth_exceeded_total), 1U);
    EXPECT_TRUE(world.is_empty());
}

TEST_F(MaxBreadth_Rfc5393_5_3_3, ThatIsNoNumberGets400) {
    alice.send(invite("many")).expect(400);
    EXPECT_TRUE(bob.is_silent());
}

TEST_F(MaxBreadth_Rfc5393_5_3_3, IsSharedByTheBranchesOfAFork) {
    Phone& desk = more("198.51.100.21:5060");
    alice.send(invite("5"));
    EXPECT_EQ(breadth_at(bob), "3");
    EXPECT_EQ(breadth_at(desk), "2");
}

TEST_F(MaxBreadth_Rfc5393_5_3_4, ThatIsTooSmallMakesPhonesRingOneAfterTheOther) {
    Phone& desk = more("198.51.100.21:5060");
    Outgoing call = alice.send(invite("1")).expect(100);
    const Incoming first = bob.expects("INVITE");
    EXPECT_EQ(first.message().header("Max-Breadth"), "1");
    EXPECT_TRUE(desk.is_silent());
    EXPECT_EQ(world.count(Counter::branches_delayed_by_max_breadth_total), 1U);
    first.answers(486);
    EXPECT_EQ(breadth_at(desk), "1");
}

TEST_F(MaxBreadth_Rfc5393_5_3_4, OfAPhoneThatWasLeftIsFreeOnlyWhenItHasAnswered) {
    Phone& desk = world.phone({"bob", "example.test", "198.51.100.21:5060", {}, {}});
    world.bind("bob", desk, 500);
    alice.send(invite("1")).expect(100);
    const Incoming first = bob.expects("INVITE");
    first.answers(180);
    world.wait(seconds(21));
    bob.expects("CANCEL");
    EXPECT_TRUE(desk.is_silent());
    first.answers(487);
    EXPECT_EQ(breadth_at(desk), "1");
}

/// An element that sends all that it gets back to us, to the address of record for which it was,
/// with a parameter of its own each time.
TEST_F(ForkBomb_Rfc5393_4_2, ContactsThatPointBackAreTriedOnce) {
    world.add_user(user_record("a"));
    std::vector<Phone*> mirrors;
    for (const char* port : {"5071", "5072", "5073"}) {
        mirrors.push_back(
            &world.phone({"a", "example.test", "198.51.100.66:" + std::string(port), {}, {}}));
        world.bind("a", *mirrors.back());
    }
    Outgoing call = alice.send(alice.make("INVITE", "sip:a@example.test")).expect(100);
    size_t reflected = 0;
    for (bool is_moving = true; is_moving && reflected < 1000;) {
        is_moving = false;
        for (Phone* mirror : mirrors) {
            if (mirror->is_silent()) continue;
            is_moving = true;
            const Message message = mirror->take();
            if (!message.is_request() || message.method() != "INVITE") continue;
            std::string text = message.text();
            text.replace(text.find(mirror->contact()), mirror->contact().size(),
                         "sip:a@example.test;x=" + std::to_string(++reflected));
            text.insert(text.find("Via:"), "Via: " + mirror->fresh_via() + "\r\n");
            mirror->send_text(text);
        }
    }
    EXPECT_EQ(reflected, 3U);
    EXPECT_EQ(world.count(Counter::loops_detected_total), 3U);
}

}  // namespace
}  // namespace signalbox::core::testing
