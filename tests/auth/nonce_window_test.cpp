// The window of nonce counts, its edges, and what is forgotten.
// Covers: RFC 7616 §3.4 (nc), §5.5 (replay); RFC 3261 §22.4. Not covered: whether the credentials
// are right.
#include "auth/nonce_window.h"

#include <gtest/gtest.h>

#include "tests/auth/auth_fixture.h"

namespace signalbox::auth {
namespace {

using Use = NonceWindow::Use;

constexpr uint64_t kBirthMs = 1'700'000'000'000;

NonceId nonce(uint64_t random, uint64_t after_birth_ms = 10) {
    return {random, kBirthMs + after_birth_ms};
}

struct NonceWindow_Rfc7616_5_5 : testing::Test {
    NonceWindow window{at(Duration{}), 4};
};

TEST_F(NonceWindow_Rfc7616_5_5, EachCountWorksOnce) {
    for (const uint32_t nc : {1U, 2U, 3U}) {
        EXPECT_EQ(window.use(nonce(1), nc), Use::Fresh);
        EXPECT_EQ(window.use(nonce(1), nc), Use::Repeated);
    }
    EXPECT_EQ(window.use(nonce(1), 1), Use::Repeated);
    EXPECT_EQ(window.use(nonce(2), 1), Use::Fresh);
}

TEST_F(NonceWindow_Rfc7616_5_5, FirstCountMayBeAny) {
    EXPECT_EQ(window.use(nonce(1), 0), Use::Fresh);
    EXPECT_EQ(window.use(nonce(1), 0), Use::Repeated);
    EXPECT_EQ(window.use(nonce(2), UINT32_MAX), Use::Fresh);
    EXPECT_EQ(window.use(nonce(2), UINT32_MAX), Use::Repeated);
    EXPECT_EQ(window.use(nonce(2), UINT32_MAX - 255), Use::Fresh);
}

TEST_F(NonceWindow_Rfc7616_5_5, LateCountsInsideTheWindowWorkOnce) {
    EXPECT_EQ(window.use(nonce(1), 300), Use::Fresh);
    EXPECT_EQ(window.use(nonce(1), 299), Use::Fresh);
    EXPECT_EQ(window.use(nonce(1), 45), Use::Fresh);  // 255 behind
    EXPECT_EQ(window.use(nonce(1), 45), Use::Repeated);
    EXPECT_EQ(window.use(nonce(1), 44), Use::Repeated);  // 256 behind: it cannot be told
    EXPECT_EQ(window.use(nonce(1), 43), Use::Repeated);
}

TEST_F(NonceWindow_Rfc7616_5_5, ABurstInAnyOrderWorksOnceEach) {
    for (const uint32_t step : {1U, 37U, 101U, 255U}) {
        const NonceId id = nonce(step);
        const auto nth = [step](uint32_t i) { return 1 + i * step % kNonceWindow; };
        for (uint32_t i = 0; i < kNonceWindow; ++i)
            ASSERT_EQ(window.use(id, nth(i)), Use::Fresh) << step << " " << nth(i);
        for (uint32_t i = 0; i < kNonceWindow; ++i)
            ASSERT_EQ(window.use(id, nth(i)), Use::Repeated) << step << " " << nth(i);
    }
}

TEST_F(NonceWindow_Rfc7616_5_5, JumpsAroundAWordAndTheWindowKeepTheRightBits) {
    NonceWindow many{at(Duration{}), 16};
    for (const uint32_t jump : {63U, 64U, 65U, 128U, 191U, 192U, 255U, 256U, 257U}) {
        const NonceId id = nonce(100 + jump);
        EXPECT_EQ(many.use(id, 50), Use::Fresh);
        EXPECT_EQ(many.use(id, 50 + jump), Use::Fresh);
        EXPECT_EQ(many.use(id, 50 + jump), Use::Repeated);
        EXPECT_EQ(many.use(id, 50), Use::Repeated) << jump;
        EXPECT_EQ(many.use(id, 51 + jump - 1), Use::Repeated);
        EXPECT_EQ(many.use(id, 49 + jump), Use::Fresh) << jump;
    }
}

TEST_F(NonceWindow_Rfc7616_5_5, NonceWithoutCountIsUsedUp) {
    EXPECT_EQ(window.use_up(nonce(1)), Use::Fresh);
    EXPECT_EQ(window.use_up(nonce(1)), Use::Repeated);
    EXPECT_EQ(window.use(nonce(1), 1), Use::Repeated);
    EXPECT_EQ(window.use(nonce(1), UINT32_MAX), Use::Repeated);
    EXPECT_EQ(window.use(nonce(2), 1), Use::Fresh);
    EXPECT_EQ(window.use_up(nonce(2)), Use::Repeated);
}

TEST_F(NonceWindow_Rfc7616_5_5, NonceFromBeforeTheBirthIsForgotten) {
    EXPECT_EQ(window.use({1, kBirthMs - 1}, 1), Use::Forgotten);
    EXPECT_EQ(window.use({2, kBirthMs}, 1), Use::Forgotten);
    EXPECT_EQ(window.use({3, kBirthMs + 1}, 1), Use::Fresh);
    EXPECT_EQ(window.use_up({4, kBirthMs}), Use::Forgotten);
}

TEST_F(NonceWindow_Rfc7616_5_5, EvictionRaisesTheFloor) {
    for (uint64_t i = 1; i <= 4; ++i) EXPECT_EQ(window.use(nonce(i, i * 10), 1), Use::Fresh);
    EXPECT_EQ(window.floor_ms(), kBirthMs);
    EXPECT_EQ(window.use(nonce(5, 50), 1), Use::Fresh);  // the first one gives way
    EXPECT_EQ(window.size(), 4U);
    EXPECT_EQ(window.floor_ms(), kBirthMs + 10);
    EXPECT_EQ(window.use(nonce(1, 10), 1), Use::Forgotten);
    EXPECT_EQ(window.use(nonce(1, 10), 2), Use::Forgotten);
    EXPECT_EQ(window.use(nonce(9, 10), 1), Use::Forgotten);
    EXPECT_EQ(window.use(nonce(9, 11), 1), Use::Fresh);
    EXPECT_EQ(window.use(nonce(3, 30), 2), Use::Fresh);
}

TEST_F(NonceWindow_Rfc7616_5_5, FloorNeverFalls) {
    for (const uint64_t issued : {100U, 20U, 30U, 40U}) {
        EXPECT_EQ(window.use(nonce(issued, issued), 1), Use::Fresh);
    }
    EXPECT_EQ(window.use(nonce(201, 201), 1), Use::Fresh);
    EXPECT_EQ(window.floor_ms(), kBirthMs + 100);
    EXPECT_EQ(window.use(nonce(202, 202), 1), Use::Fresh);
    EXPECT_EQ(window.floor_ms(), kBirthMs + 100);
    EXPECT_EQ(window.use(nonce(40, 40), 2), Use::Fresh);
}

}  // namespace
}  // namespace signalbox::auth
