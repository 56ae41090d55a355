// Answers of slow parties, which the core asked for in an earlier turn.
#pragma once

#include <cstdint>
#include <string_view>
#include <variant>

#include "resolver/dns_records.h"

namespace signalbox::ports {

/// A question or an answer of another shard, encoded by core/shard_message. Views: the mailbox's
/// buffer, for the call only.
struct ShardMessageIn {
    uint8_t from = 0;
    std::string_view bytes;
};

/// What DNS answered; addresses in the order in which they are to be tried.
struct DnsReply {
    uint64_t id = 0;
    resolver::RecordSet records;
};

/// A stream could not take a message: `owner` is the Transmit's.
struct TransmitFailed {
    uint64_t owner = 0;
};

using PortReply = std::variant<ShardMessageIn, DnsReply, TransmitFailed>;

}  // namespace signalbox::ports
