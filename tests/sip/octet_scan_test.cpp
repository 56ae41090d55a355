// Covers the searches of octet_scan.h at every offset and length around the width of the vector
// registers, and with every octet.
#include "sip/octet_scan.h"

#include <gtest/gtest.h>

#include <string>
#include <tuple>

#include "sip/lexer.h"

namespace signalbox::sip {
namespace {

TEST(OctetScan_Behaviour, FindsTheFirstCrOrLfAtEveryPlace) {
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

TEST(OctetScan_Behaviour, GivesTheEndWhenThereIsNoLineBreak) {
    for (size_t size = 0; size <= 70; ++size) {
        const std::string text = std::string(size, '\t') + "\r\n";
        const char* begin = text.data();
        EXPECT_EQ(find_line_break(begin, begin + size), begin + size);
    }
}

TEST(OctetScan_Behaviour, FindsNoColonPastTheEndNorOneThatIsFar) {
    for (size_t at = 0; at < 40; ++at) {
        std::string text(40, 'x');
        text[at] = ':';
        const char* begin = text.data();
        const char* found = find_near_colon(begin, begin + text.size());
#if defined(__SSE2__)
        EXPECT_EQ(found, at < 16 ? begin + at : nullptr) << at;
#else
        EXPECT_EQ(found, nullptr) << at;
#endif
        // What is left unfound there is found octet by octet.
        EXPECT_EQ(find_near_colon(begin, begin + 15), nullptr) << at;
    }
}

/// At the places around the width of the vector registers.
template <class Scan, class Belongs>
void expect_passes_those_alone(Scan scan, Belongs belongs) {
    for (int octet = 0; octet < 256; ++octet) {
        const auto c = static_cast<char>(octet);
        for (const size_t at : {size_t{0}, size_t{7}, size_t{15}, size_t{16}, size_t{31}}) {
            std::string text(48, 'x');
            text[at] = c;
            const char* begin = text.data();
            const char* stopped = scan(begin, begin + text.size());
            if (!belongs(c)) {
                EXPECT_LE(stopped, begin + at) << octet;
                continue;
            }
#if defined(__SSE2__)
            EXPECT_EQ(stopped, begin + text.size()) << octet;
#endif
        }
    }
}

TEST(OctetScan_Behaviour, PassesEveryOctetOfARequestUriAndNoOther) {
    expect_passes_those_alone(skip_request_uri_octets, [](char c) {
        return lexer::is(c, lexer::kVisible) && c != '<' && c != '>';
    });
}

TEST(OctetScan_Behaviour, PassesEveryOctetThatIsItselfBetweenQuotesAndNoOther) {
    expect_passes_those_alone(skip_quoted_octets,
                              [](char c) { return lexer::is(c, lexer::kQuoted) || c == ' '; });
}

TEST(OctetScan_Behaviour, PassesEveryOctetOfAHostAndNoOther) {
    expect_passes_those_alone(skip_host_octets, [](char c) { return lexer::is(c, lexer::kHost); });
    const std::string all = "azAZ09-._bBcCdDeEfFgGhHiIjJkKlLmMnNoOpPqQrRsStTuUvVwWxXyY12345678";
    lexer::Cursor cursor(all);
    EXPECT_EQ(cursor.run(lexer::kHost), all);
}

TEST(OctetScan_Behaviour, ClassesThatLackAnOctetOfHostsEndBeforeIt) {
    const std::string behind(20, 'x');
    for (const auto& [octet_class, run, other] :
         {std::tuple(lexer::kAddress6, "2001", "z"), std::tuple(lexer::kPhone, "12345", "g"),
          std::tuple(lexer::kScheme, "abc", "_")}) {
        const std::string text = std::string(run) + other + behind;
        lexer::Cursor cursor(text);
        EXPECT_EQ(cursor.run(octet_class), run);
    }
}

TEST(OctetScan_Behaviour, RunsEndAtTheFirstOctetOfAnotherClass) {
    for (const auto octet_class : {lexer::kToken, lexer::kParamValue, lexer::kScheme}) {
        for (size_t size = 0; size <= 40; ++size) {
            for (const size_t behind : {size_t{0}, size_t{1}, size_t{20}}) {
                const std::string run(size, 'q');
                const std::string text =
                    run + (behind > 0 ? ";" : "") + std::string(behind > 0 ? behind - 1 : 0, 'q');
                lexer::Cursor cursor(text);
                EXPECT_EQ(cursor.run(octet_class), run) << size << ' ' << behind;
            }
        }
    }
}

}  // namespace
}  // namespace signalbox::sip
