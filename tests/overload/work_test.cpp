// Covers: what kind of work a request is, what an emergency service is (RFC 5031 §4.2), and what
// can be told of a datagram at a glance. Not covered: proofs of a dialog
// (tests/core/overload_test.cpp).
#include "overload/work.h"

#include <gtest/gtest.h>

#include <string>

namespace signalbox::overload {
namespace {

std::string request(const std::string& first_line, const std::string& more = {}) {
    const std::string method = first_line.substr(0, first_line.find(' '));
    return first_line +
           " SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\n"
           "To: <sip:c@d>\r\nCall-ID: 1\r\nCSeq: 1 " +
           method + "\r\n" + more + "Content-Length: 0\r\n\r\n";
}

Work work(const std::string& text, bool is_trusted = false) {
    sip::MessageView view;
    EXPECT_TRUE(sip::parse_message(text, view).has_value());
    return work_of(view, is_trusted);
}

TEST(Work_Behaviour, CallsAndMessagesAreWhatPeopleWaitFor) {
    EXPECT_EQ(work(request("INVITE sip:c@d")), Work::Call);
    EXPECT_EQ(work(request("MESSAGE sip:c@d")), Work::Call);
    EXPECT_EQ(work(request("REFER sip:c@d")), Work::Call);
    EXPECT_EQ(work(request("BYE sip:c@d")), Work::Call);
}

TEST(Work_Behaviour, QuestionsSubscriptionsAndPublicationsAreOptional) {
    for (const char* method : {"OPTIONS", "SUBSCRIBE", "PUBLISH", "NOTIFY", "FROBNICATE"})
        EXPECT_EQ(work(request(std::string(method) + " sip:c@d")), Work::Optional) << method;
}

TEST(Work_Behaviour, ARegisterWithCredentialsIsHalfDone) {
    const std::string credentials = "Authorization: Digest username=\"a\"\r\n";
    EXPECT_EQ(work(request("REGISTER sip:d")), Work::Registration);
    EXPECT_EQ(work(request("REGISTER sip:d", credentials)), Work::Call);
    EXPECT_EQ(work(request("REGISTER sip:d"), true), Work::Call);
}

TEST(Work_Rfc5031_4_2, AnEmergencyCallIsAnInviteToUrnServiceSosOrBelow) {
    EXPECT_EQ(work(request("INVITE urn:service:sos")), Work::Emergency);
    EXPECT_EQ(work(request("INVITE URN:Service:SOS.fire")), Work::Emergency);
    EXPECT_EQ(work(request("OPTIONS urn:service:sos")), Work::Optional);
    EXPECT_FALSE(is_emergency_service("urn:service:sosx"));
    EXPECT_FALSE(is_emergency_service("urn:service:so"));
    EXPECT_FALSE(is_emergency_service("urn:service:counseling"));
    EXPECT_FALSE(is_emergency_service("sip:urn:service:sos"));
}

TEST(Glance_Behaviour, SeesTheMethodsThatBeginSomething) {
    for (const char* method :
         {"INVITE", "REGISTER", "OPTIONS", "MESSAGE", "SUBSCRIBE", "PUBLISH", "NOTIFY", "REFER"})
        EXPECT_TRUE(is_new_at_a_glance(request(std::string(method) + " sip:c@d"))) << method;
    for (const char* method : {"ACK", "BYE", "CANCEL", "PRACK", "UPDATE", "INFO", "FROBNICATE"})
        EXPECT_FALSE(is_new_at_a_glance(request(std::string(method) + " sip:c@d"))) << method;
    EXPECT_FALSE(is_new_at_a_glance("SIP/2.0 200 OK\r\nCSeq: 1 INVITE\r\n\r\n"));
}

TEST(Glance_Behaviour, LeavesEverythingWithARouteToBeRead) {
    for (const char* route : {"Route: <sip:x>\r\n", "ROUTE:<sip:x>\r\n", "route \t: <sip:x>\r\n"})
        EXPECT_FALSE(is_new_at_a_glance(request("INVITE sip:c@d", route))) << route;
    EXPECT_TRUE(is_new_at_a_glance(request("INVITE sip:c@d", "Router: x\r\n")));
    EXPECT_TRUE(is_new_at_a_glance(request("INVITE sip:c@d", "Record-Route: <sip:x>\r\n")));
    EXPECT_TRUE(is_new_at_a_glance(request("MESSAGE sip:c@d") + "Route: <sip:x>\r\n"));
}

TEST(Glance_Behaviour, LeavesEmergencyCallsToBeRead) {
    EXPECT_FALSE(is_new_at_a_glance(request("INVITE urn:service:sos")));
    EXPECT_FALSE(is_new_at_a_glance(request("INVITE Urn:Service:Sos.police")));
}

TEST(Glance_Behaviour, IsSureOfNothingThatIsNoWholeHeader) {
    EXPECT_FALSE(is_new_at_a_glance(""));
    EXPECT_FALSE(is_new_at_a_glance("INVITE "));
    EXPECT_FALSE(is_new_at_a_glance("INVITE sip:c@d SIP/2.0\r\nVia: x"));
    EXPECT_FALSE(is_new_at_a_glance("INVITE sip:c@d SIP/2.0\r\nVia: x\r\n"));
}

}  // namespace
}  // namespace signalbox::overload
