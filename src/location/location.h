// The location service of one shard: addresses of record and the bindings at which they are
// reached now.
// Implements: RFC 3261 §10.2.1, §10.3; RFC 3261 §16.5; RFC 7118 §5.1
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/counters.h"
#include "base/name_index.h"
#include "base/slab.h"
#include "base/stepped_pool.h"
#include "base/time.h"
#include "base/timer_wheel.h"
#include "ports/command.h"
#include "ports/outbox.h"
#include "ports/snapshot.h"
#include "sip/uri.h"

namespace signalbox::location {

/// True for a host that no address can belong to (RFC 2606 §2): what stands there is reached by its
/// flow alone.
bool is_unresolvable(const sip::Uri& uri);

/// The timer kinds of this service: 32 to 47.
inline constexpr uint16_t kTimerExpiry = 32;

/// Limits of what is kept.
inline constexpr size_t kAorBytesMax = 256;
inline constexpr size_t kBindingsMax = 1000;  // of one address of record
inline constexpr size_t kBindingTextBytesMax =
    8192;  // contact, parameters, Call-ID, user agent and path together

/// One binding. Views: of a lookup, the Location's memory (valid until its next call); of what
/// replace() gets, anything.
struct Binding {
    ports::BindingView record;
    Instant expires;  // of the monotonic clock: a jump of the wall clock ends no binding
    bool is_flow_closed =
        false;  // its stream is gone: closed by either side, or from before a restart
};

/// True for a phone that nobody else keeps reachable: behind a NAT that forgets a way without
/// datagrams, of no edge proxy (RFC 3327), and without a reg-id, which promises keep-alives of its
/// own (RFC 5626 §4.4).
inline bool needs_keep_alive(const ports::BindingView& binding) {
    return binding.is_nated && binding.flow.transport == transport::Transport::Udp &&
           binding.reg_id == 0 && binding.path.empty();
}

/// Single-threaded; one per shard; deterministic. Cost per binding: one block that holds all of it
/// (about 150 octets and its text), and per address of record some 110 octets with its timer; no
/// allocation when warm.
class Location final {
 public:
    struct Setup {
        uint16_t node = 0;
        uint8_t shard = 0;
        uint32_t addresses_max = 4'000'000;
    };
    /// `wheel` and `counters` must outlive it.
    Location(const Setup& setup, TimerWheel& wheel, Counters& counters);
    ~Location();
    Location(const Location&) = delete;
    Location& operator=(const Location&) = delete;

    /// The live bindings, highest q first; equal ones in the order in which they were first made.
    /// Valid until the next call.
    std::span<const Binding> lookup(Now now, ports::TenantId tenant, std::string_view aor);

    /// Makes `bindings` all that the address of record has; none: it is forgotten. False, and
    /// nothing is changed, when there is no room for another address of record, or a text is past
    /// its limit. `snapshot_version` goes into later events about it.
    bool replace(Now now, ports::TenantId tenant, std::string_view aor,
                 std::span<const Binding> bindings, uint64_t snapshot_version);
    /// Appends all that the address of record has as one BindingsChanged event, also when that is
    /// nothing.
    void journal(Now now, ports::TenantId tenant, std::string_view aor, uint64_t snapshot_version,
                 ports::Outbox& out);

    /// Takes over bindings from before a restart, without the expired. Their streams count as
    /// closed.
    void restore(Now now, const ports::BindingsEvent& event);

    /// Handles a due timer of kind kTimerExpiry: removes what has expired, journals and counts it.
    void on_timer(Now now, const TimerDue& due, ports::Outbox& out);
    /// Whose bindings the last on_timer() removed; `aor` is empty when it removed none.
    struct Expired {
        ports::TenantId tenant = 0;
        std::string aor;
    };
    const Expired& last_expired() const { return expired_; }
    /// The stream `flow` has closed: its bindings know it from now on. Cost: its own bindings only.
    void flow_closed(const transport::Flow& flow);

    /// The live binding of a Contact that no address leads to: its host ends with ".invalid", as
    /// browser phones write it. Of several the one that was registered first. Cost: one look-up.
    std::optional<Binding> find_unresolvable(Now now, const sip::Uri& contact) const;

    bool has_live_binding_from(Now now, ports::TenantId tenant, std::string_view aor,
                               const IpAddress& source);

    /// A page of at most `limit` addresses of record behind place `after`; sets reply.next.
    void page(Now now, uint32_t after, uint32_t limit, ports::RegistrationsReply& reply);

    /// For who goes over all addresses of record in steps: the live bindings of the one at `place`,
    /// below places(). Empty where there is none. Valid until the next call.
    std::span<const Binding> lookup_place(Now now, uint32_t place);
    uint32_t places() const { return addresses_.places(); }
    bool has_phones_to_keep_alive() const { return to_keep_alive_count_ > 0; }

    uint64_t address_count() const { return addresses_.size(); }
    uint64_t binding_count() const { return binding_count_; }
    /// Octets of the blocks in which names and bindings stand.
    size_t bytes() const { return pool_.bytes_out(); }

 private:
    struct Block;  // a binding with its text behind it
    struct Address {
        Timer timer;
        Block* first = nullptr;  // by q, highest first
        char* name = nullptr;
        ports::TenantId tenant = 0;
        uint16_t name_size = 0;
        uint16_t count = 0;
        uint64_t snapshot_version = 0;
    };
    struct KeyOf {
        Location* location;
        NameKey operator()(uint32_t place) const;
    };
    /// A connection of any shard.
    struct Connection {
        uint32_t number;
        uint32_t generation;
        uint8_t shard;
        friend bool operator==(const Connection&, const Connection&) = default;
    };
    struct ConnectionHash {
        using is_avalanching = void;
        size_t operator()(const Connection& connection) const;
    };

    Address* find(ports::TenantId tenant, std::string_view aor);
    Address* find_or_make(ports::TenantId tenant, std::string_view aor);
    void forget(Address& address);
    Block* make_block(const Binding& binding);
    void free_block(Block* block);
    void free_blocks(Address& address);
    static void insert_by_q(Address& address, Block* block);
    void index_stream(Block& block);
    void unindex_stream(Block& block);
    void arm(Address& address);
    void index_unresolvable(Block& block);
    void unindex_unresolvable(Block& block);
    static Binding view(const Block& block);
    std::span<const Binding> live_bindings(Now now, const Address* address);
    ports::EventHeader header(Now now, ports::TenantId tenant, uint64_t snapshot_version) const;

    Setup setup_;
    TimerWheel& wheel_;
    Counters& counters_;
    SteppedPool pool_;
    Slab<Address> addresses_;
    NameIndex<uint32_t, KeyOf> index_;
    Handle<Address> last_found_;  // a request asks several times for the same
    boost::unordered_flat_map<Connection, Block*, ConnectionHash>
        streams_;  // the first binding of each connection
    boost::unordered_flat_map<uint64_t, Block*> unresolvable_;  // by user and host
    uint64_t binding_count_ = 0;
    uint64_t to_keep_alive_count_ = 0;
    std::vector<Binding> found_;  // what a look-up gave
    Expired expired_;
};

}  // namespace signalbox::location
