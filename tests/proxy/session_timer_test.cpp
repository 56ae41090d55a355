// What a response says about the life of a session.
// Covers: RFC 4028 §4, §7.4. Not covered: what becomes of the call (call_tracker_test,
// session_timer_test of the core).
#include "proxy/session_timer.h"

#include <gtest/gtest.h>

#include "tests/proxy/support.h"

namespace signalbox::proxy {
namespace {

using std::chrono::seconds;

std::optional<Duration> interval(const std::vector<std::string>& lines) {
    const testing::Read read(testing::request_text("INVITE sip:bob@example.test", lines));
    return session_interval(read->message);
}

TEST(SessionTimer_Rfc4028_4, ReadsTheIntervalWithoutItsParameters) {
    EXPECT_EQ(interval({"Session-Expires: 1800"}), seconds(1800));
    EXPECT_EQ(interval({"x:  3600 ;refresher=uas"}), seconds(3600));
    EXPECT_EQ(interval({"session-expires : 4294967296"}), seconds(4'294'967'295));
}

TEST(SessionTimer_Rfc4028_4, NinetySecondsAreTheLeast) {
    EXPECT_EQ(interval({"Session-Expires: 89"}), seconds(90));
    EXPECT_EQ(interval({"Session-Expires: 0"}), seconds(90));
    EXPECT_EQ(interval({"Session-Expires: 91"}), seconds(91));
}

TEST(SessionTimer_Rfc4028_7_2, WithoutOneThatCanBeReadThereIsNoLimit) {
    EXPECT_EQ(interval({}), std::nullopt);
    for (const char* value : {"", ";refresher=uac", "soon", "-1", "90 s"})
        EXPECT_EQ(interval({std::string("Session-Expires: ") + value}), std::nullopt) << value;
}

TEST(SessionTimer_Rfc4028_7_4, InviteAndUpdateRefresh) {
    EXPECT_TRUE(refreshes_session(sip::Method::Invite));
    EXPECT_TRUE(refreshes_session(sip::Method::Update));
    for (const auto method : {sip::Method::Options, sip::Method::Info, sip::Method::Bye})
        EXPECT_FALSE(refreshes_session(method));
}

}  // namespace
}  // namespace signalbox::proxy
