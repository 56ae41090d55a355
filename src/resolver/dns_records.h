// Questions to DNS and the record sets that answer them, as values. Implements: RFC 2782; RFC 3403
// §4.1
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/ip_endpoint.h"
#include "base/time.h"

namespace signalbox::resolver {

enum class RecordType : uint8_t {
    Address,  // A and AAAA, and the hosts file
    Srv,
    Naptr,
};

/// `name` is in lower case, without the dot of the root at its end.
struct Question {
    RecordType type = RecordType::Address;
    std::string name;
    friend bool operator==(const Question&, const Question&) = default;
};

struct SrvRecord {
    uint16_t priority = 0;
    uint16_t weight = 0;
    uint16_t port = 0;
    std::string target;  // empty: the root, "the service is decidedly not available" (RFC 2782)
    friend auto operator<=>(const SrvRecord&, const SrvRecord&) = default;
};

struct NaptrRecord {
    uint16_t order = 0;
    uint16_t preference = 0;
    std::string flags, service, regexp;
    std::string replacement;  // empty: the root
    friend auto operator<=>(const NaptrRecord&, const NaptrRecord&) = default;
};

enum class Outcome : uint8_t {
    Found,
    None,    // the name or records of that type do not exist
    Failed,  // no server could say, or none answered in time
};

/// The answer to one question. Of the lists only that of the question's type is filled, in the
/// order of the answer, and only when Found.
struct RecordSet {
    /// More records of one answer are not read.
    static constexpr size_t kRecordsMax = 32;

    Outcome outcome = Outcome::Failed;
    Duration ttl{};  // of the answer, or of the proof that there is none; zero: for this once only
    std::vector<IpAddress> addresses;
    std::vector<SrvRecord> services;
    std::vector<NaptrRecord> pointers;
};

}  // namespace signalbox::resolver
