// Covers RFC 3261 §7.1 (method names). Not covered: what each method does, which is for its own
// layer.
#include "sip/method.h"

#include <gtest/gtest.h>

#include <string>

namespace signalbox::sip {
namespace {

TEST(Method_Rfc3261_7_1, EveryNamedMethodIsFoundByItsName) {
    for (int i = 0; i < static_cast<int>(Method::Extension); ++i) {
        const auto method = static_cast<Method>(i);
        ASSERT_FALSE(method_name(method).empty());
        EXPECT_EQ(parse_method(method_name(method)), method) << method_name(method);
    }
}

TEST(Method_Rfc3261_7_1, CaseMatters) {
    EXPECT_EQ(parse_method("INVITE"), Method::Invite);
    EXPECT_EQ(parse_method("invite"), Method::Extension);
    EXPECT_EQ(parse_method("Invite"), Method::Extension);
}

TEST(Method_Rfc3261_7_1, AnyOtherTokenIsAnExtension) {
    for (const char* token : {"", "X", "INVITEX", "INVIT", "ACH", "BYES", "NEWMETHOD",
                              "!odd-Method.%*_+`'~", "SUBSCRIBERS", "XINFO", "INFX"}) {
        EXPECT_EQ(parse_method(token), Method::Extension) << token;
    }
    EXPECT_EQ(method_name(Method::Extension), "");
}

TEST(Method_Rfc3261_7_1, ATokenOfTheSameLengthAndFirstLetterIsNotTaken) {
    for (int i = 0; i < static_cast<int>(Method::Extension); ++i) {
        std::string name(method_name(static_cast<Method>(i)));
        name.back() = 'Z';
        EXPECT_EQ(parse_method(name), Method::Extension) << name;
    }
}

}  // namespace
}  // namespace signalbox::sip
