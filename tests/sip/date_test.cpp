// Covers RFC 3261 §20.17 (Date). The weekday is not held against the date: it carries no
// information.
#include <gtest/gtest.h>

#include <string>

#include "sip/header_values.h"
#include "tests/sip/support.h"

namespace signalbox::sip {
namespace {

WallTime at(int64_t seconds) {
    return WallTime(std::chrono::seconds(seconds));
}

TEST(Date_Rfc3261_20_17, IsSecondsSinceTheEpoch) {
    EXPECT_EQ(parse_date("Thu, 01 Jan 1970 00:00:00 GMT"), at(0));
    EXPECT_EQ(parse_date("Sun, 09 Sep 2001 01:46:40 GMT"), at(1000000000));
    EXPECT_EQ(parse_date("Thu, 29 Feb 2024 23:59:59 GMT"), at(1709251199));
    EXPECT_EQ(parse_date("Wed, 31 Dec 1969 23:59:59 GMT"), at(-1));
}

TEST(Date_Rfc3261_20_17, CaseAndFoldsDoNotMatter) {
    EXPECT_EQ(parse_date("sun,\r\n 09 SEP 2001\t01:46:40 gmt"), at(1000000000));
}

TEST(Date_Rfc3261_20_17, ALeapSecondIsTheNextMinutesFirst) {
    EXPECT_EQ(parse_date("Sat, 31 Dec 2016 23:59:60 GMT"), at(1483228800));
}

TEST(Date_Rfc3261_20_17, MalformedDatesAreRefused) {
    for (const char* text :
         {"", "Thu", "Thu, 01 Jan 1970 00:00:00", "Thu, 01 Jan 1970 00:00:00 EST",
          "Thu, 1 Jan 1970 00:00:00 GMT", "Thu, 01 Jan 70 00:00:00 GMT",
          "Xyz, 01 Jan 1970 00:00:00 GMT", "Thu, 01 Foo 1970 00:00:00 GMT",
          "Thu, 30 Feb 2024 00:00:00 GMT", "Wed, 29 Feb 2023 00:00:00 GMT",
          "Thu, 00 Jan 1970 00:00:00 GMT", "Thu, 01 Jan 1970 24:00:00 GMT",
          "Thu, 01 Jan 1970 00:60:00 GMT", "Thu, 01 Jan 1970 00:00:61 GMT",
          "Thu, 01 Jan 1970 0:00:00 GMT", "Thu 01 Jan 1970 00:00:00 GMT",
          "Thu, 01 Jan 1970 00:00:00 GMT x", "Thursday, 01-Jan-70 00:00:00 GMT"}) {
        EXPECT_EQ(outcome(parse_date(text)), "Malformed Date") << text;
    }
}

TEST(Date_Rfc3261_20_17, IsWrittenInTheSameForm) {
    EXPECT_EQ(format_date(at(0)), "Thu, 01 Jan 1970 00:00:00 GMT");
    EXPECT_EQ(format_date(at(1709251199)), "Thu, 29 Feb 2024 23:59:59 GMT");
    EXPECT_EQ(format_date(WallTime(std::chrono::microseconds(999999))),
              "Thu, 01 Jan 1970 00:00:00 GMT");
}

TEST(Date_Behaviour, WhatIsWrittenIsReadBack) {
    for (int64_t seconds = 0; seconds < int64_t{4102444800}; seconds += 123456789 / 7) {
        EXPECT_EQ(parse_date(format_date(at(seconds))), at(seconds)) << seconds;
    }
}

}  // namespace
}  // namespace signalbox::sip
