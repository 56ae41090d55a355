// What memory the process finds that it may use, and the transactions that fit. No RFC.
#include "node/memory_size.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

#include "base/check.h"

namespace signalbox::node {
namespace {

class MemorySize_Behaviour : public ::testing::Test {
 protected:
    MemorySize_Behaviour() {
        CHECK(::mkdtemp(folder.data()) != nullptr);
        write("process", "0::/office/phones\n");
        std::filesystem::create_directories(folder + "/office/phones");
    }
    ~MemorySize_Behaviour() override { std::filesystem::remove_all(folder); }

    void write(const std::string& name, const std::string& text) const {
        std::ofstream(folder + "/" + name) << text;
    }
    uint64_t usable() const { return usable_memory({folder + "/process", folder}); }

    std::string folder = ::testing::TempDir() + "signalbox-memory-XXXXXX";
    const uint64_t machine = usable();  // no group has a limit yet
};

TEST_F(MemorySize_Behaviour, IsThatOfTheMachineWhereNoGroupHasALimit) {
    EXPECT_GT(machine, uint64_t{1} << 24);
    write("office/phones/memory.max", "max\n");
    EXPECT_EQ(usable(), machine);
    write("office/phones/memory.max", std::to_string(2 * machine) + "\n");
    EXPECT_EQ(usable(), machine);
}

TEST_F(MemorySize_Behaviour, IsTheLeastOfTheGroupsAroundTheProcess) {
    write("office/phones/memory.max", "9000000\n");
    EXPECT_EQ(usable(), 9'000'000U);
    write("office/memory.max", "8000000\n");
    EXPECT_EQ(usable(), 8'000'000U);
    write("memory.max", "7000000\n");
    EXPECT_EQ(usable(), 7'000'000U);
    write("process", "0::/\n");
    write("memory.max", "6000000\n");
    EXPECT_EQ(usable(), 6'000'000U);
}

TEST_F(MemorySize_Behaviour, HalfOfItHoldsTransactionsWithinBounds) {
    EXPECT_EQ(transactions_for(uint64_t{4} << 30), 2'097'152U);
    EXPECT_EQ(transactions_for(1), 65'536U);
    EXPECT_EQ(transactions_for(UINT64_MAX), 16'000'000U);
}

}  // namespace
}  // namespace signalbox::node
