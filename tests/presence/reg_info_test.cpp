// The reginfo document.
// Covers: RFC 3680 §5.1 to §5.3, RFC 5628 §5, and what keeps it well-formed. Not covered: when one
// is sent (core/reg_event_test).
#include "presence/reg_info.h"

#include <gtest/gtest.h>

namespace signalbox::presence {
namespace {

TEST(RegInfo_Rfc3680_5, ShowsEachContactWithItsAttributes) {
    std::string out;
    RegInfoWriter writer(out, 7, false);
    writer.begin_registration("sip:bob@example.test", 5, RegistrationState::Active);
    ContactInfo contact;
    contact.id = 9;
    contact.event = ContactEvent::Shortened;
    contact.uri = "sip:bob@192.0.2.1";
    contact.parameters = ";+sip.instance=\"<urn:uuid:1>\";audio";
    contact.call_id = "c@h";
    contact.cseq = 3;
    contact.q = 250;
    contact.has_q = true;
    contact.expires_s = 60;
    writer.add(contact, {});
    writer.finish();
    EXPECT_EQ(out,
              "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
              "<reginfo xmlns=\"urn:ietf:params:xml:ns:reginfo\" "
              "xmlns:gr=\"urn:ietf:params:xml:ns:gruuinfo\" version=\"7\" state=\"partial\">\n"
              "<registration aor=\"sip:bob@example.test\" id=\"5\" state=\"active\">\n"
              "<contact id=\"9\" state=\"active\" event=\"shortened\" expires=\"60\" q=\"0.250\" "
              "callid=\"c@h\" cseq=\"3\"><uri>sip:bob@192.0.2.1</uri>"
              "<unknown-param name=\"+sip.instance\">&quot;&lt;urn:uuid:1&gt;&quot;</unknown-param>"
              "<unknown-param name=\"audio\"></unknown-param></contact>\n"
              "</registration>\n</reginfo>\n");
}

TEST(RegInfo_Rfc5628_5, GruusStandBehindWhatRfc3680Knows) {
    std::string out;
    RegInfoWriter writer(out, 0, true);
    writer.begin_registration("sip:bob@example.test", 5, RegistrationState::Active);
    ContactInfo contact;
    contact.uri = "sip:bob@192.0.2.1";
    contact.parameters = ";audio";
    writer.add(contact, {"sip:bob@example.test;gr=a&b", "sip:tgruu.x@example.test;gr"});
    EXPECT_NE(out.find("</unknown-param>"
                       "<gr:pub-gruu uri=\"sip:bob@example.test;gr=a&amp;b\"/>"
                       "<gr:temp-gruu uri=\"sip:tgruu.x@example.test;gr\" first-cseq=\"0\"/>"
                       "</contact>"),
              std::string::npos)
        << out;
}

TEST(RegInfo_Behaviour, TextFromTheWireNeverBreaksTheDocument) {
    std::string out;
    RegInfoWriter writer(out, 0, true);
    writer.begin_registration("sip:\"&<>\x01\xff@h", 1, RegistrationState::Init);
    EXPECT_NE(out.find("aor=\"sip:&quot;&amp;&lt;&gt;??@h\""), std::string::npos);
}

}  // namespace
}  // namespace signalbox::presence
