// Instance-ids: reading, comparing, hashing.
// Covers: RFC 5626 §3.1, §4.1 (the form), RFC 8141 §3 (equality).
#include "location/instance_id.h"

#include <gtest/gtest.h>

namespace signalbox::location {
namespace {

constexpr std::string_view kUuid = "urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6";

TEST(InstanceId_Rfc5626_4_1, IsReadWithoutQuotesAndBrackets) {
    EXPECT_EQ(instance_of(";a;+sip.instance=\"<urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6>\""),
              kUuid);
    EXPECT_EQ(instance_of(";+SIP.Instance=\"<urn:x:1>\";b"), "urn:x:1");
    EXPECT_EQ(instance_of(";+sip.instance"), "");
    EXPECT_EQ(instance_of(";+sip.instance=\"\""), "");
    EXPECT_EQ(instance_of(";a=\"+sip.instance=1\""), "");
    EXPECT_EQ(instance_of(""), "");
}

TEST(InstanceId_Rfc8141_3, UuidsAreEqualInAnyCaseAndOtherNamesAreNot) {
    EXPECT_TRUE(same_instance(kUuid, "URN:UUID:F81D4FAE-7DEC-11D0-A765-00A0C91E6BF6"));
    EXPECT_TRUE(same_instance("URN:imei:a", "urn:IMEI:a"));
    EXPECT_FALSE(same_instance("urn:imei:a", "urn:imei:A"));
    EXPECT_FALSE(same_instance("urn:imei:a", "urn:imei:ab"));
    EXPECT_FALSE(same_instance("x", "X"));
    EXPECT_FALSE(same_instance("", ""));
}

TEST(InstanceId_Behaviour, HashIsTheSameExactlyForEqualOnes) {
    EXPECT_EQ(instance_hash(kUuid), instance_hash("URN:UUID:F81D4FAE-7DEC-11D0-A765-00A0C91E6BF6"));
    EXPECT_NE(instance_hash("urn:imei:a"), instance_hash("urn:imei:A"));
    EXPECT_EQ(instance_hash(""), 0U);
    const std::string longest(300, 'a');
    EXPECT_NE(instance_hash(longest + "b"), instance_hash(longest + "c"));
    EXPECT_NE(registration_hash("a"), registration_hash("b"));
}

}  // namespace
}  // namespace signalbox::location
