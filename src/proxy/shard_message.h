// The questions that shards ask each other, and their answers, as values and as bytes.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/ip_endpoint.h"
#include "base/time.h"
#include "ports/snapshot.h"
#include "transport/flow.h"

namespace signalbox::proxy {

/// To the shard of the user: are these credentials right, and may he use `identity` in From? Views:
/// the bytes it was read from.
struct CredentialQuestion {
    uint64_t id = 0;
    ports::TenantId tenant = ports::kDefaultTenant;
    std::string_view method, request_uri;
    std::string_view credentials;  // the header field's value
    bool is_any_user = false;      // who he is does not matter: there is no `identity`
    std::string_view identity;     // canonical user part; an empty one is nobody's
    std::string_view preferred;    // the one as whom he wants to be named; empty: none
    IpAddress source;
};

enum class CredentialVerdict : uint8_t {
    Accepted,
    NotThisIdentity,
    Wrong,
    Stale,
    Malformed,
    Unanswered
};

struct CredentialAnswer {
    uint64_t id = 0;
    CredentialVerdict verdict = CredentialVerdict::Wrong;
    std::string_view user;    // Accepted, NotThisIdentity: who he is; Malformed: the reason
    bool may_prefer = false;  // Accepted: `preferred` is an address of his
};

/// To the shard of the address of record: where is it reached?
struct LocationQuestion {
    uint64_t id = 0;
    ports::TenantId tenant = ports::kDefaultTenant;
    std::string_view aor;
    uint64_t instance = 0;          // of a GRUU: only this phone's bindings; 0: all
    uint64_t registration = 0;      // of a temporary GRUU: only while the phone registers with that
                                    // Call-ID; 0: any
    std::string_view contact = {};  // instead of `aor`: which binding has this Contact, that no
                                    // address leads to?
};

/// One place at which a user is reached.
struct Target {
    std::string_view uri;  // becomes the Request-URI
    uint16_t q = 1000;
    bool has_flow = false;  // else the path decides, or without one the URI
    transport::Flow flow;
    std::string_view path = {};  // Route values for this target alone (RFC 3327 §5.4)
    uint64_t instance = 0;       // location::instance_hash() of the phone; 0: it did not say
    bool is_other_flow = false;  // another way to the phone of the target before it: only when that
                                 // one fails (RFC 5626 §7)
    uint32_t expires_s = 0;      // how long the binding lives
};

struct LocationAnswer {
    uint64_t id = 0;
    bool exists = false;          // a user or an address of record of that name is known
    std::vector<Target> targets;  // best q first; empty: nobody is there now
};

/// To the shard of the address of record: forward this admitted request without state. It comes
/// back with `needs_state` when that is not possible, because nobody or several are to be reached
/// there. Views: the bytes it was read from.
struct StatelessRequest {
    ports::TenantId tenant = ports::kDefaultTenant;
    std::string_view aor;
    uint64_t loop_hash = 0;
    transport::Flow flow;    // by which it came
    std::string_view bytes;  // the request
    bool needs_state = false;
};

/// To all: leave this source's requests for credentials unanswered.
struct SourceBlocked {
    IpAddress address;
    Instant until;
};

/// To all: the phone behind a NAT that registered as this address of record over `from` is at `to`
/// now. Equal ones: a phone of that user is there again. Views: the bytes it was read from.
struct FlowMoved {
    ports::TenantId tenant = ports::kDefaultTenant;
    std::string_view aor;
    transport::Flow from, to;
};

/// To all: this next hop fails and is tried last until then; in the past: it answers again.
struct HopNews {
    transport::Transport transport = transport::Transport::Udp;
    Endpoint remote;
    Instant until;
};

using ShardMessage =
    std::variant<CredentialQuestion, CredentialAnswer, LocationQuestion, LocationAnswer,
                 StatelessRequest, SourceBlocked, FlowMoved, HopNews>;

void encode(const ShardMessage& message, std::string& out);
/// Nothing when the bytes are none of ours. Views: `bytes`.
std::optional<ShardMessage> decode_shard_message(std::string_view bytes);

}  // namespace signalbox::proxy
