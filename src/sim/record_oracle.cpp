// What the wire showed of each call, against the record that the journal's fold makes of it.
#include "sim/record_oracle.h"

#include <algorithm>

#include "cdr/call_fold.h"

namespace signalbox::sim {

namespace {

/// Questions between shards take time; more than this is not explained by them.
constexpr Duration kTolerance = std::chrono::milliseconds(60);

bool is_near(Instant a, Instant b, Duration tolerance = kTolerance) {
    return std::chrono::abs(a - b) <= tolerance;
}

}  // namespace

void RecordOracle::answered_caller(const TextMessage& invite, const TextMessage& response,
                                   Call kind, uint32_t incarnation) {
    const Key key{invite.call_id(), invite.from_tag()};
    auto found = calls_.find(key);
    if (response.status == 100 && found == calls_.end()) {
        found = calls_.emplace(key, Facts{}).first;
        found->second.incarnation = incarnation;
        found->second.kind = kind;
        found->second.started = queue_.now().monotonic;
    }
    if (found == calls_.end()) return;
    Facts& facts = found->second;
    if (incarnation != facts.incarnation) facts.was_killed = true;
    const Instant now = queue_.now().monotonic;
    if (response.status > 100 && response.status < 200 && !facts.ringing) facts.ringing = now;
    if (response.status >= 200 && response.status < 300) {
        if (!facts.answered) facts.answered = now;
        facts.callee_tags.insert(response.to_tag());
    }
    if (response.status >= 300 && invite.cseq() >= facts.last_cseq) {
        facts.last_failure = response.status;
        facts.last_failure_at = now;
    }
    facts.last_cseq = std::max(facts.last_cseq, invite.cseq());
}

void RecordOracle::bye_arrived(const TextMessage& bye) {
    byes_[bye.call_id()].push_back({queue_.now().monotonic, bye.from_tag(), bye.to_tag(), false});
}

void RecordOracle::bye_answered(const TextMessage& response) {
    for (Bye& bye : byes_[response.call_id()]) {
        if (bye.tag_a == response.from_tag() && bye.tag_b == response.to_tag())
            bye.is_answered = true;
    }
}

void RecordOracle::compare(const std::vector<std::string>& journal, Duration call_max,
                           bool is_every_hop_ours) {
    cdr::CallFold fold;
    for (const std::string& event : journal) {
        if (!fold.apply(event)) report_.broken("record", "a journal event cannot be read");
    }
    records_.clear();
    for (const cdr::CallEvents& call : fold.take_ended()) records_.push_back(call.record());
    for (const ports::OpenCall& open : fold.open_calls()) {
        report_.broken("record", "call " + open.call_id + " never ends");
    }
    std::map<Key, std::vector<const ports::CallRecord*>> by_call;
    for (const ports::CallRecord& record : records_) {
        by_call[{record.call_id, record.caller_tag}].push_back(&record);
    }
    for (const auto& [key, facts] : calls_) {
        const auto found = by_call.find(key);
        const size_t count = found == by_call.end() ? 0 : found->second.size();
        if (count == 0 && may_have_no_record(facts)) continue;
        if (count != 1 || facts.kind == Call::ToNobody) {
            report_.broken("record",
                           "call " + key.first + " has " + std::to_string(count) + " records");
            continue;
        }
        compare_one(key, facts, *found->second.front(), call_max, is_every_hop_ours);
    }
    for (const auto& [key, list] : by_call) {
        if (!calls_.contains(key)) {
            report_.broken("record",
                           "call " + key.first + " has a record, but its caller got no 100");
        }
    }
}

void RecordOracle::compare_one(const Key& key, const Facts& facts, const ports::CallRecord& record,
                               Duration call_max, bool is_every_hop_ours) {
    const std::string name = "call " + key.first;
    const auto at = [&](WallTime time) { return queue_.wall_to_monotonic(time); };
    if (!is_near(at(record.started), facts.started)) report_.broken("record", name + ": start");
    if (facts.ringing && !(record.ringing && is_near(at(*record.ringing), *facts.ringing))) {
        report_.broken("record", name + ": ringing");
    }
    if (facts.answered.has_value() != record.answered.has_value()) {
        report_.broken("record", name + (facts.answered ? ": was answered" : ": was not answered"));
        return;
    }
    if (facts.answered) {
        if (!is_near(at(*record.answered), *facts.answered))
            report_.broken("record", name + ": answer");
        if (record.status != 200) report_.broken("record", name + ": answered without 200");
        if (!facts.callee_tags.contains(record.callee_tag)) {
            report_.broken("record", name + ": callee's tag");
        }
        compare_end(name, key, facts, record, call_max, is_every_hop_ours);
        return;
    }
    if (facts.was_killed || facts.last_failure == 0) return;
    if (record.status != facts.last_failure) {
        report_.broken("record", name + ": status " + std::to_string(record.status) +
                                     " instead of " + std::to_string(facts.last_failure));
    }
}

/// A kill while another shard is asked for the callee takes a stranger's call with it: no phone of
/// ours heard of it.
bool RecordOracle::may_have_no_record(const Facts& facts) const {
    if (facts.kind == Call::ToNobody) return true;
    if (facts.kind == Call::Recorded || facts.ringing || facts.answered) return false;
    return std::any_of(kills_.begin(), kills_.end(), [&](Instant kill) {
        return kill >= facts.started && is_near(kill, facts.started);
    });
}

void RecordOracle::compare_end(const std::string& name, const Key& key, const Facts& facts,
                               const ports::CallRecord& record, Duration call_max,
                               bool is_every_hop_ours) {
    const Instant ended = queue_.wall_to_monotonic(record.ended);
    const std::vector<Bye>& byes = byes_[key.first];
    const bool at_bye = std::any_of(byes.begin(), byes.end(),
                                    [&](const Bye& bye) { return is_near(bye.at, ended); });
    if (at_bye) {
        const Duration talk = ended - queue_.wall_to_monotonic(*record.answered);
        const auto told = std::chrono::milliseconds(record.talk_ms);
        if (std::chrono::abs(talk - told) > kTolerance)
            report_.broken("record", name + ": talk time");
        return;
    }
    const bool at_limit = is_near(ended, *facts.answered + call_max, std::chrono::seconds(1));
    if (!at_limit) {
        report_.broken("record", name + ": ended neither by a BYE nor by call_max");
        return;
    }
    const bool has_all = std::all_of(
        facts.callee_tags.begin(), facts.callee_tags.end(), [&](const std::string& tag) {
            return std::any_of(byes.begin(), byes.end(), [&](const Bye& bye) {
                return bye.is_answered && (bye.tag_a == tag || bye.tag_b == tag);
            });
        });
    if (is_every_hop_ours && has_all) {
        report_.broken("record", name + ": a BYE came, but it ended by call_max");
    }
}

}  // namespace signalbox::sim
