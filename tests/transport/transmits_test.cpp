// The buffer of what one turn sends. Covers: the contract of transmits.h. Not covered: the drivers
// that empty it.
#include "transport/transmits.h"

#include <gtest/gtest.h>

#include <string>

namespace signalbox::transport {

TEST(Transmits_Behaviour, KeepsMessagesInTheirOrder) {
    Transmits out;
    Flow flow;
    flow.listener = 3;
    out.add(flow, "first", 7);
    std::string("second!").copy(out.reserve(100), 7);
    out.commit(Flow{}, 7);
    out.add(flow, std::string(10'000, 'x'));
    ASSERT_EQ(out.list().size(), 3u);
    EXPECT_EQ(out.bytes(out.list()[0]), "first");
    EXPECT_EQ(out.list()[0].owner, 7u);
    EXPECT_EQ(out.list()[0].flow, flow);
    EXPECT_EQ(out.bytes(out.list()[1]), "second!");
    EXPECT_EQ(out.list()[1].owner, 0u);
    EXPECT_EQ(out.bytes(out.list()[2]), std::string(10'000, 'x'));
}

TEST(Transmits_Behaviour, IsEmptyAfterClear) {
    Transmits out;
    out.add(Flow{}, "one");
    out.clear();
    EXPECT_TRUE(out.list().empty());
    out.add(Flow{}, "two");
    EXPECT_EQ(out.bytes(out.list()[0]), "two");
    out.add(Flow{}, "");
    EXPECT_EQ(out.bytes(out.list()[1]), "");
}

}  // namespace signalbox::transport
