// Covers: RFC 8760 §2.1 and RFC 7616 §6.1 (algorithm names), the three functions against values
// that another implementation gave. Not covered: how digests make up a response (auth/).
#include "crypto/digest.h"

#include <gtest/gtest.h>

#include <string>

namespace signalbox::crypto {
namespace {

struct Vector {
    std::string input;
    const char* md5;
    const char* sha256;
    const char* sha512_256;
};

const Vector kVectors[] = {
    {"", "d41d8cd98f00b204e9800998ecf8427e",
     "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
     "c672b8d1ef56ed28ab87c3622c5114069bdd3ad7b8f9737498d0c01ecef0967a"},
    {"a", "0cc175b9c0f1b6a831c399e269772661",
     "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb",
     "455e518824bc0601f9fb858ff5c37d417d67c2f8e0df2babe4808858aea830f8"},
    {"alice:example.test:secret", "4842575394a190ef4c973253ba19099c",
     "cc0140d97f2b011fee9f86aa26b63fc472268267b652dcea0675e15d9da92468",
     "5fed66a4a7c351762a1e82edeb6a21abc5c66b9e8180686853b8d19ce638c9a5"},
    {std::string(1000, 'x'), "398533d48111e9f664b1f64cb10c4b63",
     "44f8354494a5ba03ba1792a8d3e9c534c47a9181980fde7a3f44b06ef2ae7c7f",
     "906942b77a1b72ae432c5b080a07af6a8f382f49f56abb935e24811a15285acf"},
};

TEST(Digester_Rfc8760_2_1, MatchesKnownValues) {
    Digester digester;
    for (const Vector& vector : kVectors) {
        EXPECT_EQ(digester.digest(DigestAlgorithm::Md5, {vector.input}).hex(), vector.md5);
        EXPECT_EQ(digester.digest(DigestAlgorithm::Sha256, {vector.input}).hex(), vector.sha256);
        EXPECT_EQ(digester.digest(DigestAlgorithm::Sha512_256, {vector.input}).hex(),
                  vector.sha512_256);
    }
}

TEST(Digester_Behaviour, PartsAreOneText) {
    Digester digester;
    for (size_t i = 0; i < kDigestAlgorithms; ++i) {
        const auto algorithm = static_cast<DigestAlgorithm>(i);
        EXPECT_EQ(digester.digest(algorithm, {"alice", ":", "", "example.test:secret"}),
                  digester.digest(algorithm, {"alice:example.test:secret"}));
        EXPECT_EQ(digester.digest(algorithm, {}), digester.digest(algorithm, {""}));
        EXPECT_EQ(digester.digest(algorithm, {std::string_view()}),
                  digester.digest(algorithm, {""}));
    }
}

TEST(Digester_Behaviour, StartsAfreshAtEachUseAndAfterAMove) {
    Digester digester;
    digester.digest(DigestAlgorithm::Md5, {"something else"});
    Digester moved(std::move(digester));
    EXPECT_EQ(moved.digest(DigestAlgorithm::Md5, {"a"}).hex(), kVectors[1].md5);
}

TEST(DigestAlgorithm_Rfc7616_6_1, HasANameAndASize) {
    EXPECT_EQ(digest_name(DigestAlgorithm::Md5), "MD5");
    EXPECT_EQ(digest_name(DigestAlgorithm::Sha256), "SHA-256");
    EXPECT_EQ(digest_name(DigestAlgorithm::Sha512_256), "SHA-512-256");
    EXPECT_EQ(digest_size(DigestAlgorithm::Md5), 16u);
    EXPECT_EQ(digest_size(DigestAlgorithm::Sha256), 32u);
    EXPECT_EQ(digest_size(DigestAlgorithm::Sha512_256), 32u);
}

TEST(DigestAlgorithm_Rfc7616_6_1, IsReadWithoutRegardToCase) {
    EXPECT_EQ(parse_digest_name("md5"), DigestAlgorithm::Md5);
    EXPECT_EQ(parse_digest_name("Sha-256"), DigestAlgorithm::Sha256);
    EXPECT_EQ(parse_digest_name("SHA-512-256"), DigestAlgorithm::Sha512_256);
    for (const char* const name : {"", "MD", "MD5-sess", "SHA256", "SHA-512", "MD5 "}) {
        EXPECT_FALSE(parse_digest_name(name)) << name;
    }
}

TEST(DigestValue_Behaviour, ComparesSizeAndOctets) {
    DigestValue a;
    a.size = 16;
    DigestValue b = a;
    EXPECT_EQ(a, b);
    b.octets[15] = 1;
    EXPECT_NE(a, b);
    b = a;
    b.size = 32;
    EXPECT_NE(a, b);
    EXPECT_EQ(DigestValue{}, DigestValue{});
}

TEST(DigestValue_Behaviour, WritesLowerCaseHexadecimal) {
    DigestValue value;
    value.octets[0] = 0xab;
    value.octets[1] = 0x09;
    value.size = 2;
    EXPECT_EQ(value.hex(), "ab09");
    char buffer[64];
    EXPECT_EQ(std::string(buffer, value.write_hex(buffer)), "ab09");
    EXPECT_EQ(value.bytes(), "\xab\x09");
    EXPECT_EQ(DigestValue{}.hex(), "");
}

}  // namespace
}  // namespace signalbox::crypto
