// What the wire showed of each call, against the record that the journal's fold makes of it:
// exactly one, and true.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "ports/call_record.h"
#include "sim/oracle_report.h"
#include "sim/text_message.h"

namespace signalbox::sim {

class RecordOracle final {
 public:
    RecordOracle(OracleReport& report, const EventQueue& queue) : report_(report), queue_(queue) {}

    enum class Call : uint8_t {
        Recorded,   // of a user, of a trusted peer
        Strangers,  // to a user: recorded as soon as it is known that he exists
        ToNobody,   // a stranger's, to a user who does not exist: counted only
    };
    /// The server sent `response` to `invite`, which began a call.
    void answered_caller(const TextMessage& invite, const TextMessage& response, Call kind,
                         uint32_t incarnation);
    void bye_arrived(const TextMessage& bye);
    /// The server sent a final response to a BYE: what a kill before this loses is nobody's fault.
    void bye_answered(const TextMessage& response);
    void killed() { kills_.push_back(queue_.now().monotonic); }
    /// The end of a run: folds the journal and compares. `is_every_hop_ours`: requests in dialogs
    /// pass the server.
    void compare(const std::vector<std::string>& journal, Duration call_max,
                 bool is_every_hop_ours);

    size_t calls() const { return calls_.size(); }
    const std::vector<ports::CallRecord>& records() const { return records_; }

 private:
    struct Facts {
        uint32_t incarnation = 0;
        Call kind = Call::Recorded;
        bool was_killed = false;  // a response came from a later incarnation
        Instant started;
        std::optional<Instant> ringing;
        std::optional<Instant> answered;
        std::set<std::string> callee_tags;
        int last_failure = 0;
        Instant last_failure_at;
        uint32_t last_cseq = 0;  // of the newest attempt: a late copy of an older one tells nothing
    };
    struct Bye {
        Instant at;
        std::string tag_a, tag_b;
        bool is_answered = false;
    };
    using Key = std::pair<std::string, std::string>;  // Call-ID, caller's tag
    void compare_one(const Key& key, const Facts& facts, const ports::CallRecord& record,
                     Duration call_max, bool is_every_hop_ours);
    bool may_have_no_record(const Facts& facts) const;
    void compare_end(const std::string& name, const Key& key, const Facts& facts,
                     const ports::CallRecord& record, Duration call_max, bool is_every_hop_ours);

    OracleReport& report_;
    const EventQueue& queue_;
    std::map<Key, Facts> calls_;
    std::map<std::string, std::vector<Bye>> byes_;
    std::vector<ports::CallRecord> records_;
    std::vector<Instant> kills_;
};

}  // namespace signalbox::sim
