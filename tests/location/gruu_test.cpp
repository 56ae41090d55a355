// GRUUs as text and back.
// Covers: RFC 5627 §3.1 (form), §5.4 (temporary ones tell nothing and are not alike), §5.3.
// Not covered: who gets one (registrar/gruu_test), where requests to one go (core/gruu_test).
#include "location/gruu.h"

#include <gtest/gtest.h>

#include "location/instance_id.h"
#include "location/location.h"

namespace signalbox::location {
namespace {

constexpr WallTime kNow = WallTime(std::chrono::seconds(1'700'000'000));
constexpr std::string_view kInstance = "urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6";

crypto::TokenKeys keys(uint8_t fill = 7) {
    crypto::TokenKey key;
    key.id = 1;
    key.secret.fill(fill);
    key.not_after = kNow + std::chrono::hours(24);
    return crypto::TokenKeys(std::span<const crypto::TokenKey>(&key, 1));
}

GruuHost host(std::string_view user = "alice") {
    return {"sip", user, user, "example.test"};
}

std::optional<Gruu> read(const std::string& text, const crypto::TokenKeys& with) {
    const auto uri = sip::parse_uri(text);
    EXPECT_TRUE(uri.has_value()) << text;
    return uri ? read_gruu(*uri, with, kNow) : std::nullopt;
}

std::string temporary(const crypto::TokenKeys& with, uint64_t unique) {
    std::string text;
    append_temporary_gruu(host(), 5, 6, unique, 0, with, text);
    return text;
}

TEST(Gruu_Rfc5627_3_1, PublicOneIsTheAddressOfRecordWithTheInstance) {
    std::string text;
    append_public_gruu(host(), kInstance, text);
    EXPECT_EQ(text, "sip:alice@example.test;gr=urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6");
    const auto gruu = read(text, keys());
    ASSERT_TRUE(gruu);
    EXPECT_EQ(gruu->aor, "alice");
    EXPECT_EQ(gruu->instance, instance_hash(kInstance));
    EXPECT_EQ(gruu->registration, 0U);
}

TEST(Gruu_Rfc5627_3_1, CharactersThatAUriCannotHoldAreEscaped) {
    std::string text;
    append_public_gruu(host(), "urn:x:a;b@c d", text);
    EXPECT_EQ(text, "sip:alice@example.test;gr=urn:x:a%3Bb%40c%20d");
    EXPECT_EQ(read(text, keys())->instance, instance_hash("urn:x:a;b@c d"));
}

TEST(Gruu_Rfc5627_3_1, TemporaryOneNamesTheSameWithoutShowingIt) {
    const crypto::TokenKeys own = keys();
    const std::string text = temporary(own, 1);
    EXPECT_EQ(text.find("alice"), std::string::npos);
    const auto gruu = read(text, own);
    ASSERT_TRUE(gruu);
    EXPECT_EQ(gruu->aor, "alice");
    EXPECT_EQ(gruu->instance, 5U);
    EXPECT_EQ(gruu->registration, 6U);
}

TEST(Gruu_Rfc5627_3_1, TemporaryOnesHaveNothingInCommon) {
    const crypto::TokenKeys own = keys();
    const std::string one = temporary(own, 1);
    const std::string other = temporary(own, 2);
    // What is alike: "sip:tgruu." and the token's version, key, node and shard.
    size_t alike = 0;
    for (size_t i = 18; i < one.find('@'); ++i) alike += one[i] == other[i] ? 1 : 0;
    EXPECT_LT(alike, 20U);
}

TEST(Gruu_Rfc5627_5_3, ForgedOrForeignTemporaryOneNamesNobody) {
    const crypto::TokenKeys own = keys();
    const std::string text = temporary(own, 1);
    std::string forged = text;
    char& letter = forged[40];
    letter = letter == 'a' ? 'b' : 'a';
    EXPECT_EQ(read(forged, own)->aor, "");
    EXPECT_EQ(read(text, keys(8))->aor, "");
    EXPECT_EQ(read("sip:tgruu.@example.test;gr", own)->aor, "");
}

TEST(Gruu_Behaviour, WhatHasNoGrIsNone) {
    EXPECT_FALSE(read("sip:alice@example.test", keys()));
    EXPECT_FALSE(read("sip:alice@example.test;gr", keys()));
    EXPECT_FALSE(read("sip:example.test;gr=urn:x:1", keys()));
}

TEST(Gruu_Rfc5627_3_1, EveryUserWhoCanRegisterHasATemporaryOne) {
    const crypto::TokenKeys own = keys();
    for (const size_t size :
         {size_t{1}, kGruuTokenAorBytesMax, kGruuTokenAorBytesMax + 1, size_t{100}, kAorBytesMax}) {
        std::string user;
        while (user.size() < size) user += static_cast<char>('a' + user.size() % 26);
        std::string text;
        append_temporary_gruu(host(user), 5, 6, 1, 0, own, text);
        const auto gruu = read(text, own);
        ASSERT_TRUE(gruu) << size;
        EXPECT_EQ(gruu->aor, user);
        EXPECT_EQ(gruu->instance, 5U);
        EXPECT_EQ(gruu->registration, 6U);
        EXPECT_TRUE(size < 4 || text.find(user.substr(0, 4)) == std::string::npos);
    }
}

TEST(Gruu_Rfc5627_5_3, LongUserOfOneTokenIsNotTakenForThatOfAnother) {
    const crypto::TokenKeys own = keys();
    const auto make = [&](char letter, uint64_t unique) {
        std::string text;
        append_temporary_gruu(host(std::string(100, letter)), 5, 6, unique, 0, own, text);
        return text;
    };
    const std::string one = make('a', 1), other = make('b', 2);
    const auto tail_of = [](const std::string& text) { return text.rfind('.', text.find('@')); };
    const std::string mixed = one.substr(0, tail_of(one)) + other.substr(tail_of(other));
    EXPECT_EQ(read(mixed, own)->aor, "");
    std::string changed = one;
    char& letter = changed[tail_of(one) + 5];
    letter = letter == 'a' ? 'b' : 'a';
    EXPECT_EQ(read(changed, own)->aor, "");
    const std::string cut = one.substr(0, tail_of(one)) + one.substr(one.find('@'));
    EXPECT_EQ(read(cut, own)->aor.find("aa"), std::string::npos);
}

}  // namespace
}  // namespace signalbox::location
