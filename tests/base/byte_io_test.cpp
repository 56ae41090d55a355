// Covers: numbers and texts there and back, cut and hostile input.
#include "base/byte_io.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <string>

namespace signalbox {
namespace {

enum class Colour : uint8_t { Red = 1, Green = 2 };

TEST(ByteIo_Behaviour, ReadsWhatWasWritten) {
    std::string bytes;
    ByteWriter writer(bytes);
    writer.number(uint8_t{255});
    writer.number(int64_t{-2});
    writer.number(Colour::Green);
    writer.text("a text");
    writer.text("");

    ByteReader reader(bytes);
    EXPECT_EQ(reader.number<uint8_t>(), 255);
    EXPECT_EQ(reader.number<int64_t>(), -2);
    EXPECT_EQ(reader.number<Colour>(), Colour::Green);
    EXPECT_EQ(reader.text(), "a text");
    EXPECT_EQ(reader.text(), "");
    EXPECT_TRUE(reader.ok());
    EXPECT_TRUE(reader.at_end());
}

TEST(ByteIo_Behaviour, SeveralNumbersAreWrittenOneBehindTheOther) {
    std::string at_once;
    ByteWriter(at_once).numbers(uint8_t{1}, Colour::Red, int64_t{-2}, uint16_t{3});
    std::string one_by_one;
    ByteWriter writer(one_by_one);
    writer.number(uint8_t{1});
    writer.number(Colour::Red);
    writer.number(int64_t{-2});
    writer.number(uint16_t{3});
    EXPECT_EQ(at_once, one_by_one);
    EXPECT_EQ(at_once.size(), 12U);
}

TEST(ByteIo_Behaviour, OctetsAreWrittenAsTheyAre) {
    std::string bytes;
    ByteWriter(bytes).octets(std::array<uint8_t, 3>{0, 255, 7});
    EXPECT_EQ(bytes, std::string_view("\0\xff\x07", 3));
}

TEST(ByteIo_Behaviour, NumbersAreLittleEndian) {
    std::string bytes;
    ByteWriter(bytes).number(uint32_t{0x01020304});
    EXPECT_EQ(bytes, std::string("\x04\x03\x02\x01"));
}

TEST(ByteIo_Behaviour, ACutNumberIsZeroAndNotOk) {
    ByteReader reader("\x01\x02\x03");
    EXPECT_EQ(reader.number<uint32_t>(), 0u);
    EXPECT_FALSE(reader.ok());
    EXPECT_EQ(reader.number<uint8_t>(), 0u);
    EXPECT_FALSE(reader.ok());
}

TEST(ByteIo_Behaviour, ATextLongerThanTheBytesIsEmptyAndNotOk) {
    std::string bytes;
    ByteWriter(bytes).number(UINT32_MAX);
    bytes += "abc";
    ByteReader reader(bytes);
    EXPECT_EQ(reader.text(), "");
    EXPECT_FALSE(reader.ok());
    EXPECT_TRUE(reader.at_end());
}

TEST(ByteIo_Behaviour, EveryCutOfAMessageIsNoticed) {
    std::string bytes;
    ByteWriter writer(bytes);
    writer.number(uint16_t{7});
    writer.text("payload");
    for (size_t size = 0; size < bytes.size(); ++size) {
        ByteReader reader(std::string_view(bytes).substr(0, size));
        reader.number<uint16_t>();
        reader.text();
        EXPECT_FALSE(reader.ok()) << size;
    }
}

}  // namespace
}  // namespace signalbox
