// The branch parameter that we mint.
// Covers: RFC 3261 §8.1.1.7; RFC 5393 §4.2 (the hash travels). Not covered: what is hashed, which
// is the proxy's.
#include "transaction/branch.h"

#include <gtest/gtest.h>

#include <string>

#include "base/text.h"
#include "tests/transaction/layer_world.h"

namespace signalbox::transaction {

namespace {

BranchFields fields() {
    BranchFields f;
    f.kind = BranchKind::Stateless;
    f.index = 0x01020304;
    f.generation = 0xfffffffe;
    f.cookie = 0x1122334455667788;
    f.loop_hash = 0x99aabbccddeeff00;
    f.node = 0xabcd;
    f.shard = 17;
    return f;
}

}  // namespace

TEST(Branch_Rfc3261_8_1_1_7, BeginsWithTheMagicCookieAndIsAToken) {
    testing::LayerWorld world;
    const BranchText branch = make_branch(fields(), world.keys);
    EXPECT_EQ(branch.view().substr(0, 7), "z9hG4bK");
    EXPECT_LE(branch.size, 96);
    for (const char c : branch.view().substr(7))
        EXPECT_TRUE(text::is_alpha(c) || text::is_digit(c));
}

TEST(Branch_Behaviour, GivesBackItsFields) {
    testing::LayerWorld world;
    const auto read =
        read_branch(make_branch(fields(), world.keys).view(), world.keys, world.now.wall);
    ASSERT_TRUE(read.has_value());
    EXPECT_EQ(read->kind, fields().kind);
    EXPECT_EQ(read->index, fields().index);
    EXPECT_EQ(read->generation, fields().generation);
    EXPECT_EQ(read->cookie, fields().cookie);
    EXPECT_EQ(read->loop_hash, fields().loop_hash);
    EXPECT_EQ(read->node, fields().node);
    EXPECT_EQ(read->shard, fields().shard);
}

TEST(Branch_Rfc3261_8_1_1_7, IsReadInAnyCase) {
    testing::LayerWorld world;
    std::string text(make_branch(fields(), world.keys).view());
    for (char& c : text) {
        if (text::is_alpha(c)) c = static_cast<char>(c & ~0x20);
    }
    EXPECT_TRUE(read_branch(text, world.keys, world.now.wall).has_value());
    EXPECT_EQ(peek_branch_shard(text), 17);
}

TEST(Branch_Behaviour, EveryChangedCharacterIsNoticed) {
    testing::LayerWorld world;
    const std::string text(make_branch(fields(), world.keys).view());
    for (size_t at = 0; at < text.size(); ++at) {
        std::string forged = text;
        forged[at] = text[at] == 'a' ? 'b' : 'a';
        EXPECT_FALSE(read_branch(forged, world.keys, world.now.wall).has_value()) << at;
    }
    for (const size_t size : {size_t{0}, size_t{7}, text.size() - 1}) {
        EXPECT_FALSE(read_branch(text.substr(0, size), world.keys, world.now.wall).has_value());
    }
    EXPECT_FALSE(read_branch(text + "a", world.keys, world.now.wall).has_value());
}

TEST(Branch_Behaviour, TheShardIsSeenWithoutTheKeys) {
    testing::LayerWorld world;
    const std::string text(make_branch(fields(), world.keys).view());
    EXPECT_EQ(peek_branch_shard(text), 17);
    EXPECT_EQ(peek_branch_shard("z9hG4bKsomebody"), std::nullopt);
    EXPECT_EQ(peek_branch_shard(""), std::nullopt);
    EXPECT_EQ(peek_branch_shard(text.substr(1)), std::nullopt);
    EXPECT_EQ(peek_branch_shard(std::string(text.size(), '!')), std::nullopt);
    EXPECT_EQ(peek_branch_shard("z9hG4bK" + std::string(text.size() - 7, '1')), std::nullopt);
    EXPECT_EQ(peek_branch_shard("z9hG4bK" + std::string(text.size() - 7, '7')), std::nullopt);
}

}  // namespace signalbox::transaction
