// Covers: SipHash-2-4 of one field is the reference's; lists of fields are told apart.
#include "base/sip_hasher.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "base/lower_case.h"
#include "base/random.h"
#include "base/text.h"

namespace signalbox {
namespace {

constexpr std::array<uint64_t, 2> kKey{0x0706050403020100, 0x0f0e0d0c0b0a0908};

TEST(SipHasher_Behaviour, OneFieldHasTheReferencesHash) {
    // Source: the vectors of the reference implementation, for the octets 0, 1, 2, ...
    std::string text;
    EXPECT_EQ(SipHasher(kKey).add(text).finish(), 0x726fdb47dd0e0e31u);
    text.push_back('\0');
    EXPECT_EQ(SipHasher(kKey).add(text).finish(), 0x74f839c593dc67fdu);
    for (char c = 1; c < 8; ++c) text.push_back(c);
    EXPECT_EQ(SipHasher(kKey).add(text).finish(), 0x93f5f5799a932462u);
    for (char c = 8; c < 15; ++c) text.push_back(c);
    EXPECT_EQ(SipHasher(kKey).add(text).finish(), 0xa129ca6149be45e5u);
}

TEST(SipHasher_Behaviour, NoTwoListsOfFieldsAreOne) {
    const std::string text = "abcdefghijklmnopqrstuvwxyz";
    std::set<uint64_t> hashes;
    size_t lists = 0;
    for (size_t first = 0; first <= text.size(); ++first) {
        for (size_t second = first; second <= text.size(); ++second, ++lists) {
            const std::string_view all = text;
            hashes.insert(SipHasher(kKey)
                              .add(all.substr(0, first))
                              .add(all.substr(first, second - first))
                              .add(all.substr(second))
                              .finish());
        }
    }
    EXPECT_EQ(hashes.size(), lists);
}

TEST(SipHasher_Behaviour, ALongFieldEndsWithAllOfItsLength) {
    // Each pair is the same words but for the lengths, of which eight bits are equal.
    const std::string begin(71, 'a'), middle(255, 'p'), end(20, 'q');
    const auto hash = [](const std::string& one, const std::string& other) {
        return SipHasher(kKey).add(one).add(other).finish();
    };
    EXPECT_NE(hash(begin, middle + "G" + end), hash(begin + "G" + middle, end));
}

TEST(LowerCase_Behaviour, ChangesTheTwentySixLettersAlone) {
    for (uint64_t octet = 0; octet < 256; ++octet) {
        for (int shift = 0; shift < 64; shift += 8) {
            const auto expected = static_cast<uint8_t>(text::lower(static_cast<char>(octet)));
            EXPECT_EQ(lower_case(octet << shift), uint64_t{expected} << shift) << octet;
        }
    }
}

}  // namespace
}  // namespace signalbox
