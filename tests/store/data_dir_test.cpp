// Tests of store/data_dir: rights, the fixed realm, the keys and their rotation. Not covered: a
// disk that is full while a key is written.
#include "store/data_dir.h"

#include <sys/stat.h>

#include <fstream>

#include <gtest/gtest.h>

#include "tests/store/temporary_directory.h"

namespace signalbox::store {
namespace {

const WallTime kStart{std::chrono::hours(24 * 365 * 50)};

mode_t mode_of(const std::string& path) {
    struct stat status {};
    return ::stat(path.c_str(), &status) == 0 ? status.st_mode & 0777 : 0;
}

TEST(DataDir_Behaviour, IsMadeForItsOwnerOnly) {
    TemporaryDirectory directory;
    const std::string path = directory.path() + "/a/data";
    ASSERT_TRUE(make_data_dir(path));
    ASSERT_TRUE(make_data_dir(path));
    EXPECT_EQ(mode_of(path), 0700u);
}

TEST(DataDir_Behaviour, RefusesAFileInItsPlace) {
    TemporaryDirectory directory;
    std::ofstream(directory.path() + "/data") << "x";
    const auto made = make_data_dir(directory.path() + "/data");
    ASSERT_FALSE(made);
    EXPECT_NE(made.error().text.find("is a file"), std::string::npos);
}

TEST(DataDir_Behaviour, FixesTheRealmAtTheFirstStart) {
    TemporaryDirectory directory;
    EXPECT_EQ(*fixed_realm(directory.path(), "first"), "first");
    EXPECT_EQ(*fixed_realm(directory.path(), "renamed"), "first");
    EXPECT_EQ(mode_of(directory.path() + "/identity"), 0600u);
    std::ofstream(directory.path() + "/identity") << "rubbish";
    EXPECT_FALSE(fixed_realm(directory.path(), "first"));
}

TEST(DataDir_Behaviour, KeepsItsKeysOverRestarts) {
    TemporaryDirectory directory;
    const auto first = load_keys(directory.path(), kStart);
    const auto second = load_keys(directory.path(), kStart + std::chrono::hours(24 * 29));
    ASSERT_EQ(first->size(), 1u);
    ASSERT_EQ(second->size(), 1u);
    EXPECT_EQ(first->front().secret, second->front().secret);
    EXPECT_EQ(first->front().not_after, WallTime::max());
    EXPECT_EQ(mode_of(directory.path() + "/keys"), 0600u);
}

TEST(DataDir_Behaviour, RotatesAnOldKeyAndKeepsItForADay) {
    TemporaryDirectory directory;
    const auto first = load_keys(directory.path(), kStart);
    const WallTime later = kStart + std::chrono::hours(24 * 30);
    const auto second = load_keys(directory.path(), later);
    ASSERT_EQ(second->size(), 2u);
    EXPECT_NE(second->at(0).id, first->at(0).id);
    EXPECT_NE(second->at(0).secret, first->at(0).secret);
    EXPECT_EQ(second->at(1).secret, first->at(0).secret);
    EXPECT_EQ(second->at(1).not_after, later + std::chrono::hours(24));
    const auto third = load_keys(directory.path(), later + std::chrono::hours(25));
    ASSERT_EQ(third->size(), 1u);
    EXPECT_EQ(third->at(0).secret, second->at(0).secret);
}

TEST(DataDir_Behaviour, RefusesDamagedKeysAndLeavesThemAsTheyAre) {
    TemporaryDirectory directory;
    for (const char* content : {"", "key 1 0 0 abcd\n", "key 300 0 0 ", "rubbish\n"}) {
        std::ofstream(directory.path() + "/keys") << content;
        const auto keys = load_keys(directory.path(), kStart);
        ASSERT_FALSE(keys) << content;
        EXPECT_NE(keys.error().text.find("is damaged"), std::string::npos);
    }
}

TEST(DataDir_Behaviour, ReplacesFilesAtOnce) {
    TemporaryDirectory directory;
    const std::string path = directory.path() + "/file";
    ASSERT_TRUE(write_file_atomically(path, "one"));
    ASSERT_TRUE(write_file_atomically(path, "two"));
    std::string content;
    std::ifstream(path) >> content;
    EXPECT_EQ(content, "two");
    EXPECT_FALSE(write_file_atomically(directory.path() + "/missing/file", "x"));
}

}  // namespace
}  // namespace signalbox::store
