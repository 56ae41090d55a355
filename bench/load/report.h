// What a run counted, and how it is told: as text for a reader and as JSON for bench/compare.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "load/latency_histogram.h"
#include "load/options.h"

namespace bench {

/// The rules that the load checks. A broken one voids the run.
enum class Violation : std::uint8_t {
    MalformedMessage,    // no complete SIP message, or it was cut
    UnknownTransaction,  // a branch or Call-ID that the load never made
    UnexpectedStatus,    // a status that the scenario does not allow here
    UnexpectedRequest,   // a method that the scenario does not send
    TryingMissing,       // a stateful server sent no 100 before the final response
    DuplicateFinal,      // a second final response though nobody repeated anything
    ViaWrong,  // a response with another Via than ours alone, or a request without the server's
    RecordRouteMissing,   // the server did not stay in the path of the dialog
    RouteSetNotFollowed,  // ACK or BYE reached the callee with a wrong target or with a Route left
    TagsWrong,            // From or To tag changed
    BodyChanged,          // the body did not arrive as it was sent
    MaxForwardsWrong,     // Max-Forwards absent or not lowered by one
    ContactWrong,    // the 200 to REGISTER does not show the binding, or a dialog lost its target
    ChallengeWrong,  // a 401 without a usable digest challenge
    AckMissing,      // BYE reached the callee and ACK did not
    ConnectionLost,  // the server ended a connection of ours
    kCount,
};

std::string_view name(Violation violation);

struct Counters {
    std::uint64_t started = 0;
    std::uint64_t completed = 0;
    std::uint64_t failed = 0;       // refused, or ended by a violation
    std::uint64_t refused = 0;      // 503 with Retry-After, where a profile allows it
    std::uint64_t timeouts = 0;     // no answer within 64·T1
    std::uint64_t overruns = 0;     // open loop: no room to start an operation when it was due
    std::uint64_t tx_repeated = 0;  // retransmissions that the load sent
    std::uint64_t rx_repeated = 0;  // retransmissions that the load received
    std::uint64_t late = 0;         // messages of operations that had ended, after a retransmission
    std::array<std::uint64_t, static_cast<std::size_t>(Violation::kCount)> violations{};

    std::uint64_t violation_total() const;
    std::uint64_t failure_total() const { return failed + timeouts + overruns; }
};

/// The books of a run; the agents write into them, the report reads them.
struct Ledger {
    Counters counters;
    LatencyHistogram setup;            // INVITE to its 200
    LatencyHistogram operation;        // first request to the end of the operation
    std::vector<Phase> phases;         // of the profile
    std::size_t phase = 0;             // the one that runs
    std::vector<std::string> samples;  // the first violations and failures in words
    bool is_measuring = false;         // latencies count only within the measured time

    void violate(Violation violation, std::string_view detail);
    void note(std::string_view what, std::string_view detail);
};

struct Measurement {
    double seconds = 0;
    std::uint64_t completed = 0;  // within the measured time
    double server_cpu_us = -1;    // below 0: not measured
};

/// True when nothing failed, nothing was violated and something was completed.
bool is_clean(const Ledger& ledger);
std::string text_report(const Options& options, const Ledger& ledger,
                        const Measurement& measurement);
std::string json_report(const Options& options, const Ledger& ledger,
                        const Measurement& measurement);

}  // namespace bench
