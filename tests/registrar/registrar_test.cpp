// The registrar's rules, one REGISTER after another.
// Covers: RFC 3261 §10.2.1 (adding), §10.2.1.1 (expiration), §10.2.1.2 (q), §10.2.2 (removing),
// §10.2.3 (fetching), §10.2.4 (refreshing), §10.3 steps 2, 5, 6, 7, 8, §8.2.2.3 (Require), §19.1.4
// (through the bindings). Not covered: §10.3 steps 1, 3 and 4 (the domain, authentication and
// authorisation), which the core does before.
#include "tests/registrar/registrar_fixture.h"

namespace signalbox::registrar {
namespace {

using Registrar_Rfc3261_10_2_1 = RegistrarTest;
using Registrar_Rfc3261_10_2_1_1 = RegistrarTest;
using Registrar_Rfc3261_10_2_1_2 = RegistrarTest;
using Registrar_Rfc3261_10_2_2 = RegistrarTest;
using Registrar_Rfc3261_10_2_3 = RegistrarTest;
using Registrar_Rfc3261_10_2_4 = RegistrarTest;
using Registrar_Rfc3261_10_3 = RegistrarTest;

// --- adding

TEST_F(Registrar_Rfc3261_10_2_1, AddsTheContactsOfTheRequest) {
    EXPECT_EQ(send(reg(1)
                       .contact("<sip:a@198.51.100.9:5062>, \"B\" <sip:b@198.51.100.9>")
                       .contact("sip:c@198.51.100.9;expires=100")),
              200);
    EXPECT_EQ(contacts(),
              (Texts{"sip:a@198.51.100.9:5062", "sip:b@198.51.100.9", "sip:c@198.51.100.9"}));
    EXPECT_EQ(values("Contact"),
              (Texts{"<sip:a@198.51.100.9:5062>;expires=3600", "<sip:b@198.51.100.9>;expires=3600",
                     "<sip:c@198.51.100.9>;expires=100"}));
    EXPECT_EQ(counters.value(Counter::registrations_accepted_total), 1U);
}

TEST_F(Registrar_Rfc3261_10_2_1, KeepsWhatTheProxyNeedsOfABinding) {
    send(reg(7, "call-x").contact("<sip:a@198.51.100.9>;q=0.3").with("User-Agent: Phone 2"));
    const auto found = location.lookup(now(), ports::kDefaultTenant, "alice");
    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(found[0].record.call_id, "call-x");
    EXPECT_EQ(found[0].record.cseq, 7U);
    EXPECT_EQ(found[0].record.q, 300);
    EXPECT_EQ(found[0].record.user_agent, "Phone 2");
    EXPECT_EQ(found[0].record.flow, flow);
    EXPECT_EQ(found[0].record.updated, now().wall);
    EXPECT_EQ(found[0].record.expires, now().wall + seconds(3600));
    EXPECT_FALSE(found[0].is_flow_closed);
}

TEST_F(Registrar_Rfc3261_10_2_1, ContactsOfOtherPhonesStay) {
    send(reg(1, "phone-a").contact("<sip:a@198.51.100.9>"));
    send(reg(1, "phone-b").contact("<sip:b@198.51.100.9>"));
    EXPECT_EQ(contacts().size(), 2U);
    EXPECT_EQ(values("Contact").size(), 2U);
}

TEST_F(Registrar_Rfc3261_10_2_1, FoldedContactsAreRead) {
    EXPECT_EQ(
        send(reg(1).contact("<sip:a@198.51.100.9>\r\n ;expires=100,\r\n\t<sip:b@198.51.100.9>")),
        200);
    EXPECT_EQ(values("Contact"),
              (Texts{"<sip:a@198.51.100.9>;expires=100", "<sip:b@198.51.100.9>;expires=3600"}));
}

TEST_F(Registrar_Rfc3261_10_2_1, ContactsMayBeOfAnyScheme) {
    EXPECT_EQ(send(reg(1).contact("<mailto:alice@example.test>;q=0.1")), 200);
    EXPECT_EQ(send(reg(2).contact("<tel:+1-555-0100>")), 200);
    EXPECT_EQ(send(reg(3).contact("<sips:alice@198.51.100.9>")), 200);
    EXPECT_EQ(values("Contact"),
              (Texts{"<tel:+1-555-0100>;expires=3600", "<sips:alice@198.51.100.9>;expires=3600",
                     "<mailto:alice@example.test>;q=0.1;expires=3600"}));
    for (const auto& each : location.lookup(now(), ports::kDefaultTenant, "alice")) {
        EXPECT_FALSE(each.record.is_nated) << each.record.contact;
    }
}

TEST_F(Registrar_Rfc3261_10_2_1, ANumberIsComparedAsANumber) {
    send(reg(1).contact("<tel:+1-555-0100>, <mailto:alice@example.test>"));
    send(reg(2).contact("<tel:+15550100>, <mailto:Alice@example.test>"));
    EXPECT_EQ(contacts(),
              (Texts{"tel:+15550100", "mailto:alice@example.test", "mailto:Alice@example.test"}));
    send(reg(3).contact("<tel:+1(555)0100>;expires=0"));
    EXPECT_EQ(contacts().size(), 2U);
}

// --- expiration

TEST_F(Registrar_Rfc3261_10_2_1_1, ParameterComesBeforeHeaderBeforeDefault) {
    send(reg(1).contact("<sip:a@h>;expires=100, <sip:b@h>").with("Expires: 200"));
    EXPECT_EQ(values("Contact"), (Texts{"<sip:a@h>;expires=100", "<sip:b@h>;expires=200"}));
    snapshot.registrar.expires_default_s = 300;
    send(reg(2).contact("<sip:b@h>"));
    EXPECT_EQ(values("Contact")[1], "<sip:b@h>;expires=300");
}

TEST_F(Registrar_Rfc3261_10_2_1_1, MalformedExpirationCountsAs3600) {
    snapshot.registrar.expires_default_s = 300;
    send(reg(1).contact("<sip:a@h>;expires=soon, <sip:b@h>;expires=\"60\"").with("Expires: 200"));
    EXPECT_EQ(values("Contact"), (Texts{"<sip:a@h>;expires=3600", "<sip:b@h>;expires=3600"}));
    send(reg(2, "other").contact("<sip:c@h>").with("Expires: never"));
    EXPECT_EQ(values("Contact")[2], "<sip:c@h>;expires=3600");
}

TEST_F(Registrar_Rfc3261_10_2_1_1, NumberPastAllLimitsIsLoweredToTheMaximum) {
    send(
        reg(1).contact("<sip:a@h>;expires=7200, <sip:b@h>;expires=7201, "
                       "<sip:c@h>;expires=99999999999999999999"));
    EXPECT_EQ(values("Contact"), (Texts{"<sip:a@h>;expires=7200", "<sip:b@h>;expires=7200",
                                        "<sip:c@h>;expires=7200"}));
}

TEST_F(Registrar_Rfc3261_10_3, TooBriefIs423WithMinExpires) {
    EXPECT_EQ(send(reg(1).contact("<sip:a@h>;expires=59")), 423);
    EXPECT_EQ(status_line(), "SIP/2.0 423 Interval Too Brief");
    EXPECT_EQ(values("Min-Expires"), Texts{"60"});
    EXPECT_EQ(send(reg(2).contact("<sip:a@h>").with("Expires: 1")), 423);
    EXPECT_TRUE(contacts().empty());
    EXPECT_EQ(out.journal_count(), 0U);
    EXPECT_EQ(counters.value(Counter::registrations_refused_total), 2U);
    EXPECT_EQ(send(reg(3).contact("<sip:a@h>;expires=60")), 200);
    EXPECT_EQ(send(reg(4).contact("<sip:a@h>;expires=0")), 200);
}

TEST_F(Registrar_Rfc3261_10_3, AnHourIsNeverTooBrief) {
    snapshot.registrar.expires_min_s = 5000;
    EXPECT_EQ(send(reg(1).contact("<sip:a@h>;expires=3599")), 423);
    EXPECT_EQ(send(reg(2).contact("<sip:a@h>;expires=3600")), 200);
}

TEST_F(Registrar_Rfc3261_10_3, OwnDefaultIsNeverTooBrief) {
    snapshot.registrar.expires_default_s = 30;
    EXPECT_EQ(send(reg(1).contact("<sip:a@h>")), 200);
    EXPECT_EQ(values("Contact"), Texts{"<sip:a@h>;expires=30"});
}

// --- q

TEST_F(Registrar_Rfc3261_10_2_1_2, GivesQBackAndOrdersByIt) {
    send(reg(1).contact("<sip:a@h>;q=0.25, <sip:b@h>;q=1.0, <sip:c@h>;q=0, <sip:d@h>;q=0.905"));
    EXPECT_EQ(values("Contact"),
              (Texts{"<sip:b@h>;q=1;expires=3600", "<sip:d@h>;q=0.905;expires=3600",
                     "<sip:a@h>;q=0.25;expires=3600", "<sip:c@h>;q=0;expires=3600"}));
}

TEST_F(Registrar_Rfc3261_10_2_1_2, MalformedQIs400) {
    EXPECT_EQ(send(reg(1).contact("<sip:a@h>;q=2")), 400);
    EXPECT_EQ(status_line(), "SIP/2.0 400 Malformed Contact");
}

// --- removing

TEST_F(Registrar_Rfc3261_10_2_2, ExpiresZeroRemovesThatContact) {
    send(reg(1).contact("<sip:a@h>, <sip:b@h>"));
    EXPECT_EQ(send(reg(2).contact("<sip:a@h>;expires=0")), 200);
    EXPECT_EQ(values("Contact"), Texts{"<sip:b@h>;expires=3600"});
    EXPECT_EQ(send(reg(3).contact("<sip:b@h>").with("Expires: 0")), 200);
    EXPECT_TRUE(values("Contact").empty());
    EXPECT_EQ(location.address_count(), 0U);
}

TEST_F(Registrar_Rfc3261_10_2_2, RemovingWhatIsNotThereChangesNothing) {
    send(reg(1).contact("<sip:a@h>"));
    const size_t events = out.journal_count();
    EXPECT_EQ(send(reg(2).contact("<sip:b@h>;expires=0")), 200);
    EXPECT_EQ(values("Contact").size(), 1U);
    EXPECT_EQ(out.journal_count(), events);
}

TEST_F(Registrar_Rfc3261_10_2_2, StarWithExpiresZeroRemovesAll) {
    send(reg(1, "phone-a").contact("<sip:a@h>"));
    send(reg(1, "phone-b").contact("<sip:b@h>"));
    EXPECT_EQ(send(reg(2, "phone-b").contact("*").with("Expires: 0")), 200);
    EXPECT_TRUE(contacts().empty());
    const auto event = ports::decode_bindings_event(out.journal_event(out.journal_count() - 1));
    EXPECT_TRUE(event->bindings.empty());
}

TEST_F(Registrar_Rfc3261_10_3, StarNeedsExpiresZero) {
    send(reg(1).contact("<sip:a@h>"));
    EXPECT_EQ(send(reg(2).contact("*")), 400);
    EXPECT_EQ(send(reg(3).contact("*").with("Expires: 1")), 400);
    EXPECT_EQ(send(reg(4).contact("*").with("Expires: zero")), 400);
    EXPECT_EQ(contacts().size(), 1U);
}

TEST_F(Registrar_Rfc3261_10_3, StarStandsAlone) {
    send(reg(1).contact("<sip:a@h>"));
    EXPECT_EQ(send(reg(2).contact("*").contact("<sip:b@h>").with("Expires: 0")), 400);
    EXPECT_EQ(send(reg(3).contact("<sip:b@h>").contact("*").with("Expires: 0")), 400);
    EXPECT_EQ(send(reg(4).contact("*").contact("*").with("Expires: 0")), 400);
    EXPECT_EQ(send(reg(5).contact("*, <sip:b@h>").with("Expires: 0")), 400);
    EXPECT_EQ(contacts().size(), 1U);
}

TEST_F(Registrar_Rfc3261_10_3, OldStarIs500AndRemovesNothing) {
    send(reg(1, "phone-a").contact("<sip:a@h>"));
    send(reg(5, "phone-b").contact("<sip:b@h>"));
    EXPECT_EQ(send(reg(5, "phone-b").contact("*").with("Expires: 0")), 500);
    EXPECT_EQ(contacts().size(), 2U);
    EXPECT_EQ(send(reg(6, "phone-b").contact("*").with("Expires: 0")), 200);
}

// --- fetching

TEST_F(Registrar_Rfc3261_10_2_3, WithoutContactListsAndChangesNothing) {
    send(reg(1).contact("<sip:a@h>;expires=100"));
    const size_t events = out.journal_count();
    time = seconds(40);
    EXPECT_EQ(send(reg(1)), 200);
    EXPECT_EQ(values("Contact"), Texts{"<sip:a@h>;expires=60"});
    EXPECT_EQ(out.journal_count(), events);
    EXPECT_EQ(send(reg(1), "bob"), 200);
    EXPECT_TRUE(values("Contact").empty());
}

TEST_F(Registrar_Rfc3261_10_2_3, ShowsWholeSecondsAndNeverZero) {
    send(reg(1).contact("<sip:a@h>;expires=100"));
    time = std::chrono::milliseconds(99'999);
    send(reg(2));
    EXPECT_EQ(values("Contact"), Texts{"<sip:a@h>;expires=1"});
    time = seconds(100);
    send(reg(3));
    EXPECT_TRUE(values("Contact").empty());
}

// --- refreshing

TEST_F(Registrar_Rfc3261_10_2_4, RefreshReplacesTheBindingInItsPlace) {
    send(reg(1).contact("<sip:a@h>;+x=1, <sip:b@h>"));
    time = seconds(1000);
    flow.remote.port = 6000;
    EXPECT_EQ(send(reg(2).contact("<sip:a@h>;+x=2")), 200);
    EXPECT_EQ(values("Contact"), (Texts{"<sip:a@h>;expires=3600;+x=2", "<sip:b@h>;expires=2600"}));
    const auto found = location.lookup(now(), ports::kDefaultTenant, "alice");
    EXPECT_EQ(found[0].record.flow.remote.port, 6000);
    EXPECT_EQ(found[1].record.flow.remote.port, 5062);
    EXPECT_EQ(found[0].record.cseq, 2U);
    EXPECT_EQ(found[1].record.cseq, 1U);
}

TEST_F(Registrar_Rfc3261_10_3, ContactsAreComparedAsUris) {
    send(reg(1).contact("<sip:alice@Phone.example.test;transport=TCP>"));
    EXPECT_EQ(send(reg(2).contact("<sip:%61lice@phone.EXAMPLE.test;Transport=tcp>")), 200);
    EXPECT_EQ(contacts(), Texts{"sip:%61lice@phone.EXAMPLE.test;Transport=tcp"});
    // No equality: the user's case, a port that is written, a transport in one only.
    send(reg(3).contact("<sip:Alice@phone.example.test;transport=tcp>"));
    send(reg(4).contact("<sip:alice@phone.example.test:5060;transport=tcp>"));
    send(reg(5).contact("<sip:alice@phone.example.test>"));
    EXPECT_EQ(contacts().size(), 4U);
}

TEST_F(Registrar_Rfc3261_10_3, OneUriIsOneBindingWhicheverInstanceShowsIt) {
    const std::string first = ";+sip.instance=\"<urn:uuid:00000000-0000-4000-8000-00000000000a>\"";
    const std::string second = ";+sip.instance=\"<urn:uuid:00000000-0000-4000-8000-00000000000b>\"";
    for (const std::string uri : {"<sip:a@198.51.100.9>", "<sip:a@phone.example.org>"}) {
        send(reg(1, "reg-1" + uri).contact(uri + first));
        send(reg(1, "reg-2" + uri).contact(uri + second));
        EXPECT_EQ(values("Contact"), Texts{uri + ";expires=3600" + second});
        send(reg(1, "reg-3" + uri).contact(uri + ";expires=0"));
        EXPECT_TRUE(contacts().empty());
    }
}

TEST_F(Registrar_Rfc3261_10_3, SameTextWinsOverAnEqualUri) {
    send(reg(1).contact("<sip:a@h;x=1>"));
    send(reg(2).contact("<sip:a@h;y=1;x=2>"));
    send(reg(3).contact("<sip:a@h;y=1>"));
    // The last one equals both others, the first of which gave way to it.
    EXPECT_EQ(contacts(), (Texts{"sip:a@h;y=1", "sip:a@h;y=1;x=2"}));
    send(reg(4).contact("<sip:a@h;y=1;x=2>;expires=100"));
    EXPECT_EQ(values("Contact"),
              (Texts{"<sip:a@h;y=1>;expires=3600", "<sip:a@h;y=1;x=2>;expires=100"}));
}

// --- the order of requests

TEST_F(Registrar_Rfc3261_10_3, OldCSeqOfTheSameCallIdIs500) {
    send(reg(5).contact("<sip:a@h>"));
    EXPECT_EQ(send(reg(5).contact("<sip:a@h>;expires=100")), 500);
    EXPECT_EQ(send(reg(4).contact("<sip:a@h>;expires=100")), 500);
    EXPECT_EQ(send(reg(4).contact("<sip:a@h>;expires=0")), 500);
    EXPECT_EQ(contacts().size(), 1U);
    EXPECT_EQ(send(reg(6).contact("<sip:a@h>;expires=100")), 200);
}

TEST_F(Registrar_Rfc3261_10_3, AnotherCallIdMayHaveAnyCSeq) {
    send(reg(500, "before-reboot").contact("<sip:a@h>"));
    EXPECT_EQ(send(reg(1, "after-reboot").contact("<sip:a@h>")), 200);
    EXPECT_EQ(send(reg(1, "after-reboot").contact("<sip:b@h>")), 200);
}

TEST_F(Registrar_Rfc3261_10_3, OneBadContactChangesNothingAtAll) {
    send(reg(5).contact("<sip:a@h>, <sip:b@h>"));
    send(reg(7).contact("<sip:b@h>"));
    const size_t events = out.journal_count();
    EXPECT_EQ(send(reg(6).contact("<sip:a@h>;expires=0, <sip:c@h>, <sip:b@h>")), 500);
    EXPECT_EQ(send(reg(8).contact("<sip:a@h>;expires=0, <sip:c@h>;expires=5")), 423);
    EXPECT_EQ(send(reg(9).contact("<sip:a@h>;expires=0, <sip:c@h").contact("<sip:d@h>")), 400);
    EXPECT_EQ(contacts(), (Texts{"sip:a@h", "sip:b@h"}));
    EXPECT_EQ(out.journal_count(), events);
}

TEST_F(Registrar_Rfc3261_10_3, LastMentionOfAContactHolds) {
    send(reg(1).contact("<sip:a@h>"));
    EXPECT_EQ(send(reg(2).contact("<sip:a@h>;expires=0, <sip:a@h>;expires=100")), 200);
    EXPECT_EQ(values("Contact"), Texts{"<sip:a@h>;expires=100"});
    EXPECT_EQ(send(reg(3).contact("<sip:b@h>, <sip:b@h>;expires=0")), 200);
    EXPECT_EQ(contacts(), Texts{"sip:a@h"});
}

}  // namespace
}  // namespace signalbox::registrar
