// What a client transaction's owner value says: a branch of a context, or, when the context is
// gone, the upstream transaction.
#pragma once

#include "proxy/response_context.h"
#include "proxy/waiting_acks.h"

namespace signalbox::proxy {

/// 24 bits of index, 32 of generation, 6 of branch, 2 of kind in the 64 bits that the transaction
/// layer gives back.
struct Owner {
    enum class Kind : uint8_t {
        WaitingAck = 0,   // of a look-up: an ACK waits for its answer
        Branch = 1,       // `index` and `generation` name a ResponseContext
        LateSuccess = 2,  // they name the INVITE's server transaction: only 2xx are still of
                          // interest (RFC 3261 §16.7 step 5)
        OtherUser = 3,    // the rest is another transaction user's
    };
    Kind kind = Kind::Branch;
    uint32_t index = 0;
    uint32_t generation = 0;
    uint8_t branch = 0;  // of LateSuccess: 1 when the far side was a registered phone

    static constexpr uint32_t kIndexMax = (1u << 24) - 1;

    uint64_t packed() const {
        DCHECK(index <= kIndexMax);
        return (uint64_t{generation} << 32) | (uint64_t{index} << 8) | (uint64_t{branch} << 2) |
               static_cast<uint64_t>(kind);
    }
    static Owner unpack(uint64_t packed) {
        Owner owner;
        owner.kind = static_cast<Kind>(packed & 3);
        owner.branch = static_cast<uint8_t>((packed >> 2) & 63);
        owner.index = static_cast<uint32_t>((packed >> 8) & kIndexMax);
        owner.generation = static_cast<uint32_t>(packed >> 32);
        return owner;
    }
    static uint64_t of_branch(ContextHandle context, size_t branch) {
        return Owner{Kind::Branch, context.index, context.generation, static_cast<uint8_t>(branch)}
            .packed();
    }
    static uint64_t of_late_success(transaction::ServerHandle server, bool is_binding) {
        return Owner{Kind::LateSuccess, server.index, server.generation,
                     static_cast<uint8_t>(is_binding)}
            .packed();
    }
    static uint64_t of_waiting_ack(WaitingAckHandle ack) {
        return Owner{Kind::WaitingAck, ack.index, ack.generation, 0}.packed();
    }
    WaitingAckHandle waiting_ack() const { return {index, generation}; }
    ContextHandle context() const { return {index, generation}; }
    transaction::ServerHandle server() const { return {index, generation}; }
};

}  // namespace signalbox::proxy
