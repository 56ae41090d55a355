// Everything that one turn of a core wants done outside, in order. The driver empties it: first the
// journal, then the rest.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ports/command.h"
#include "ports/journal_event.h"
#include "ports/overload_level.h"
#include "resolver/dns_records.h"
#include "transport/transmits.h"

namespace signalbox::ports {

/// A question to DNS. The answer is a DnsReply with the same id, always, and within the driver's
/// own time for one question; the core has its own deadlines.
struct DnsRequest {
    uint64_t id = 0;
    resolver::Question question;
};

/// Single-threaded; belongs to the driver; used again each turn without allocation once warm.
/// The driver's duty: append all journal events before it hands any transmit to a socket, so that
/// nothing acknowledged is lost.
class Outbox final {
 public:
    transport::Transmits transmits;
    std::vector<DnsRequest> dns_requests;
    /// Domains whose hash stands in flows from now on: the driver keeps them for the certificates
    /// of the connections that it opens (transport::PeerDomain).
    std::vector<std::string> tls_domains;
    std::vector<CommandReply> replies;
    std::vector<transport::Flow> flows_to_close;
    std::vector<const Snapshot*> released_snapshots;
    std::vector<OverloadLevelChange> level_changes;

    void journal(const CallEvent& event) {
        const size_t begin = journal_bytes_.size();
        encode(event, journal_bytes_);
        journal_.push_back({begin, journal_bytes_.size() - begin});
    }
    void journal(const BindingsEvent& event) {
        const size_t begin = journal_bytes_.size();
        encode(event, journal_bytes_);
        journal_.push_back({begin, journal_bytes_.size() - begin});
    }
    /// One event as `write(std::string& out)` appends it: BindingsEncoder.
    template <class Write>
    void journal_with(Write&& write) {
        const size_t begin = journal_bytes_.size();
        write(journal_bytes_);
        journal_.push_back({begin, journal_bytes_.size() - begin});
    }
    size_t journal_count() const { return journal_.size(); }
    std::string_view journal_event(size_t index) const {
        return std::string_view(journal_bytes_).substr(journal_[index].begin, journal_[index].size);
    }

    /// The message is what `bytes` grows by until the next call.
    std::string& shard_message(uint8_t to) {
        shard_messages_.push_back({to, shard_bytes_.size()});
        return shard_bytes_;
    }
    size_t shard_message_count() const { return shard_messages_.size(); }
    uint8_t shard_message_to(size_t index) const { return shard_messages_[index].to; }
    std::string_view shard_message_bytes(size_t index) const {
        const size_t begin = shard_messages_[index].begin;
        const size_t end = index + 1 < shard_messages_.size() ? shard_messages_[index + 1].begin
                                                              : shard_bytes_.size();
        return std::string_view(shard_bytes_).substr(begin, end - begin);
    }

    void clear() {
        transmits.clear();
        dns_requests.clear();
        tls_domains.clear();
        replies.clear();
        flows_to_close.clear();
        released_snapshots.clear();
        level_changes.clear();
        journal_bytes_.clear();
        journal_.clear();
        shard_bytes_.clear();
        shard_messages_.clear();
    }

 private:
    struct Span {
        size_t begin, size;
    };
    struct Addressed {
        uint8_t to;
        size_t begin;
    };
    std::string journal_bytes_;
    std::vector<Span> journal_;
    std::string shard_bytes_;
    std::vector<Addressed> shard_messages_;
};

}  // namespace signalbox::ports
