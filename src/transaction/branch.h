// The branch parameter of the Vias that we add: it names shard, slot and generation, so that a
// response finds its transaction without a search, and carries the loop hash. Implements: RFC 3261
// §8.1.1.7, §16.6 step 8; RFC 5393 §4.2
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "crypto/token.h"

namespace signalbox::transaction {

enum class BranchKind : uint8_t {
    Stateful = 1,   // index, generation and cookie name a client transaction
    Stateless = 2,  // no transaction of ours (RFC 3261 §16.11, and ACKs to 2xx); `cookie` is the
                    // hash of the request
    KeepAlive = 3,  // of an OPTIONS that keeps a way through a NAT open; `cookie` is random
};

struct BranchFields {
    BranchKind kind = BranchKind::Stateful;
    uint32_t index = 0;
    uint32_t generation = 0;
    uint64_t cookie = 0;  // random for Stateful
    uint64_t loop_hash =
        0;  // of what may not be the same when a request comes back to us (RFC 5393 §4.2.1)
    uint16_t node = 0;
    uint8_t shard = 0;
};

/// "z9hG4bK" and the token; at most 96 octets.
struct BranchText {
    std::array<char, 96> text;
    uint8_t size = 0;
    std::string_view view() const { return {text.data(), size}; }
};

BranchText make_branch(const BranchFields& fields, const crypto::TokenKeys& keys);
/// Nothing unless we made it (the tag is checked).
std::optional<BranchFields> read_branch(std::string_view branch, const crypto::TokenKeys& keys,
                                        WallTime now);
/// The shard that a branch of ours names, without checking the tag: for steering. Nothing when it
/// does not look like ours.
std::optional<uint8_t> peek_branch_shard(std::string_view branch);

}  // namespace signalbox::transaction
