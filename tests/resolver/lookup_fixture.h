// Test helper: a zone that answers the questions of lookups.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "resolver/server_lookup.h"

namespace signalbox::resolver {

/// The records of all types by name; a question gets those of its type.
struct Zone {
    std::map<std::string, RecordSet> names;
    std::vector<Question> asked;
    Duration ttl = std::chrono::minutes(1);

    RecordSet answer(const Question& question) {
        asked.push_back(question);
        RecordSet answer;
        answer.ttl = ttl;
        const RecordSet& all = names[question.name];
        if (question.type == RecordType::Address) answer.addresses = all.addresses;
        if (question.type == RecordType::Srv) answer.services = all.services;
        if (question.type == RecordType::Naptr) answer.pointers = all.pointers;
        const bool is_found =
            !answer.addresses.empty() || !answer.services.empty() || !answer.pointers.empty();
        answer.outcome = is_found ? Outcome::Found : Outcome::None;
        return answer;
    }
    void answer_all(ServerLookup& lookup) {
        while (const auto question = lookup.next_question()) {
            lookup.answer(*question, answer(*question));
        }
    }
};

inline NextHop destination(std::string_view uri) {
    const auto parsed = sip::parse_uri(uri);
    EXPECT_TRUE(parsed.has_value());
    const auto hop = next_hop(*parsed);
    EXPECT_TRUE(hop.has_value());
    return *hop;
}

inline TransportSet udp_and_tcp() {
    TransportSet set;
    set.add(transport::Transport::Udp);
    set.add(transport::Transport::Tcp);
    return set;
}

inline TransportSet with_tls() {
    TransportSet set = udp_and_tcp();
    set.add(transport::Transport::Tls);
    return set;
}

inline std::string text_of(const Hop& hop) {
    return std::string(transport::transport_name(hop.transport)) + " " + hop.remote.to_string();
}

/// All hops of a lookup, answered by the zone: "UDP 192.0.2.1:5060".
inline std::vector<std::string> hops(Zone& zone, ServerLookup& lookup,
                                     const HopHealth* health = nullptr) {
    std::vector<std::string> all;
    Hop hop;
    for (int i = 0; i < 1000; ++i) {
        zone.answer_all(lookup);
        const Progress progress = lookup.next(Instant{}, health, hop);
        if (progress == Progress::Exhausted) return all;
        if (progress == Progress::Ready) all.push_back(text_of(hop));
    }
    ADD_FAILURE() << "the lookup does not end";
    return all;
}

inline std::vector<std::string> hops(Zone& zone, std::string_view uri, uint64_t draw = 1) {
    ServerLookup lookup(destination(uri), udp_and_tcp(), {draw, false});
    return hops(zone, lookup);
}

}  // namespace signalbox::resolver
