// By what a received request finds its server transaction. Implements: RFC 3261 §17.2.3, §9.2
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "sip/header_values.h"
#include "sip/message_view.h"
#include "transaction/transaction_values.h"

namespace signalbox::transaction {

/// Makes the keys of requests. Secret, so that nobody can choose two requests of one key.
class ServerMatching final {
 public:
    explicit ServerMatching(Random& random)
        : hash_key_{random.next(), random.next()}, check_key_(random.next() | 1) {}

    /// The key under which the transaction of `request` is found: with the magic cookie branch,
    /// sent-by and method; without it what RFC 2543 compared. An ACK has the key of the INVITE
    /// whose failure it acknowledges.
    ServerKey key(const sip::MessageView& request, const sip::Via& via) const;
    /// The key of the request of that method, none of an extension's, that a CANCEL names.
    ServerKey cancelled_key(const sip::MessageView& cancel, const sip::Via& via,
                            sip::Method method) const;
    /// Without the magic cookie: the part of the key that an INVITE and its ACK have in common, all
    /// but the To tag.
    ServerKey legacy_part(const sip::MessageView& request, const sip::Via& via) const;
    /// Without the magic cookie: the key that the ACK of a response with that To tag will have.
    ServerKey legacy_ack_key(const ServerKey& part, std::string_view response_to_tag) const;

 private:
    class Hasher;
    ServerKey key_as(const sip::MessageView& request, const sip::Via& via,
                     std::string_view method) const;
    ServerKey legacy_key(const ServerKey& part, std::string_view method,
                         std::string_view to_tag) const;

    std::array<uint64_t, 2> hash_key_;
    uint64_t check_key_;
};

/// Key to handle. Split into parts that grow one at a time, so that no request waits for a million
/// entries to move. Takes memory only when a part has more entries than ever before: what is erased
/// leaves no trace. Nearly all requests are new ones: that a key is not there shows in one octet
/// for each entry, which a cache holds where it cannot hold the entries.
class ServerIndex final {
 public:
    /// A null handle when there is none.
    ServerHandle find(const ServerKey& key) const;
    /// Has the processor fetch the place of the key, so that find() need not wait for it.
    void prefetch(const ServerKey& key) const;
    /// False when the key is there already.
    bool insert(const ServerKey& key, ServerHandle server);
    void erase(const ServerKey& key);

 private:
    struct Entry {
        ServerKey key;
        ServerHandle server;
    };
    /// An entry stands at the place that its hash names, or as near behind it as there is room.
    class Part final {
     public:
        /// The place of the key, or the free one where it would stand.
        size_t place_of(const ServerKey& key) const;
        ServerHandle find(const ServerKey& key) const;
        void prefetch(const ServerKey& key) const;
        bool insert(const ServerKey& key, ServerHandle server);
        void erase(const ServerKey& key);

     private:
        static constexpr uint8_t kFree = 0;
        /// Of bits by which neither the part nor the place is chosen; never kFree.
        static uint8_t tag_of(const ServerKey& key) {
            return static_cast<uint8_t>(key.hash >> 56 | 1);
        }
        size_t home(const ServerKey& key) const { return key.hash & (tags_.size() - 1); }
        size_t behind(size_t place) const { return (place + 1) & (tags_.size() - 1); }
        void put(size_t place, const ServerKey& key, ServerHandle server);
        void grow();

        std::vector<uint8_t> tags_;   // a power of two, or none
        std::vector<Entry> entries_;  // as many; of no meaning where the tag says free
        size_t used_ = 0;
    };
    static constexpr size_t kParts = 64;

    Part& part(const ServerKey& key) { return parts_[key.check % kParts]; }
    std::array<Part, kParts> parts_;
};

}  // namespace signalbox::transaction
