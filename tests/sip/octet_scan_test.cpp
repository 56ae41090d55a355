// Covers the search for line ends at every offset and length around the width of the vector
// registers.
#include "sip/line_break.h"

#include <gtest/gtest.h>

#include <string>

namespace signalbox::sip {
namespace {

TEST(LineBreak_Behaviour, FindsTheFirstCrOrLfAtEveryPlace) {
    for (size_t size = 0; size <= 70; ++size) {
        for (size_t at = 0; at < size; ++at) {
            for (const char c : {'\r', '\n'}) {
                std::string text(size, 'x');
                text[at] = c;
                if (at + 1 < size) text.back() = '\r';
                const char* begin = text.data();
                EXPECT_EQ(find_line_break(begin, begin + size), begin + at) << size << ' ' << at;
            }
        }
    }
}

TEST(LineBreak_Behaviour, GivesTheEndWhenThereIsNone) {
    for (size_t size = 0; size <= 70; ++size) {
        const std::string text = std::string(size, '\t') + "\r\n";
        const char* begin = text.data();
        EXPECT_EQ(find_line_break(begin, begin + size), begin + size);
    }
}

}  // namespace
}  // namespace signalbox::sip
