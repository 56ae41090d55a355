// From a domain to the ordered list of next hops, as a state machine that asks for record sets.
// Implements: RFC 3263 §4.1, §4.2; RFC 2782
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "resolver/hop_health.h"
#include "resolver/locate_server.h"
#include "resolver/service_order.h"

namespace signalbox::resolver {

enum class Progress : uint8_t {
    Ready,      // there is a next hop
    Waiting,    // the answer to a question decides
    Exhausted,  // every next hop was given out, or there is none
};

/// One lookup of a name. The list holds hops and, where an answer is missing, places for what it
/// will bring: so the first hops can be tried while DNS is still asked for the others. Pure: it
/// neither asks nor waits by itself. Owned by a Resolver while a branch has use for it.
class ServerLookup final {
 public:
    struct Order {
        uint64_t draw = 0;       // from which the weighted draws are made
        bool is_stable = false;  // the order of addresses follows from `draw`, too: the same record
                                 // sets give the same list, however the answers were rotated
    };
    /// `destination` must be a name. Copies what it needs.
    ServerLookup(const NextHop& destination, const TransportSet& transports, const Order& order);

    /// The next question that is worth asking now; nothing: enough is known or asked. It counts as
    /// asked from then on and needs an answer.
    std::optional<Question> next_question();
    /// Puts the answer in the place of all that asked this question. Failed counts as if nothing
    /// were there, and the next stage of RFC 3263 is tried.
    void answer(const Question& question, const RecordSet& records);

    /// Gives out the first hop that was not given out before and is not held down; then those held
    /// down. Waiting: what DNS has not told yet would come first. `health` may be null.
    Progress next(Instant now, const HopHealth* health, Hop& hop);
    /// False when next() would say Exhausted, whatever the answers are.
    bool has_more() const;

    /// The question that holds next() up; nothing: none does.
    std::optional<Question> awaited() const;
    /// 0 NAPTR, 1 SRV, 2 addresses: the stage that holds next() up.
    int stage() const;
    /// True when a hop is known that was not given out.
    bool has_hop() const;
    /// What awaited() asks for is late: next() passes over it from now on, until its answer comes
    /// or nothing else is left. False: it was passed over before.
    bool pass_over_awaited();

 private:
    enum class Kind : uint8_t { Pointers, Services, Addresses, Hop };
    enum class State : uint8_t { Unasked, Asked, Untried, Tried };
    struct Candidate {
        Kind kind = Kind::Hop;
        State state = State::Unasked;
        bool is_wanted = false;  // next() waits for it
        bool is_late = false;    // next() waits for it no more
        transport::Transport transport = transport::Transport::Udp;
        uint16_t port = 0;
        std::string name;   // of the question
        IpAddress address;  // of a hop
    };
    using Candidates = std::vector<Candidate>;

    static RecordType type_of(Kind kind);
    static Question question_of(const Candidate& candidate);
    Candidate place(Kind kind, transport::Transport transport, uint16_t port,
                    std::string name) const;
    void take_first_service();
    Candidate* first_unasked();
    void add_services(Candidates& out);
    Candidates expand(const Candidate& candidate, const RecordSet& records);
    Candidates expand_pointers(const RecordSet& records);
    Candidates expand_services(const Candidate& candidate, const RecordSet& records);
    Candidates expand_addresses(const Candidate& candidate, const RecordSet& records);
    void settle();
    bool was_given_out(const Hop& hop) const;
    const Candidate* first_waiting() const;
    Candidate* first_untried(Instant now, const HopHealth* health, bool& is_waiting);

    std::string host_;
    transport::Transport transport_;  // where DNS names none
    uint16_t port_;
    bool is_secure_;
    bool is_stable_;
    bool is_service_known_ = false;  // an SRV record was found, be it only "not available"
    bool has_fallen_back_ = false;   // to the addresses of the domain itself
    TransportSet transports_;
    Random random_;
    uint64_t draw_;
    int questions_ = 0;
    Candidates candidates_;
};

}  // namespace signalbox::resolver
