// Finds in one pass what the load must check in a received message; it shares no code with the
// server that it judges.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace bench {

/// A list of header lines of one name, in order; more than the limit make a message malformed.
struct Lines {
    static constexpr std::size_t kCountMax = 8;
    std::array<std::string_view, kCountMax> values;
    std::size_t count = 0;

    bool add(std::string_view value) {
        if (count == kCountMax) return false;
        values[count++] = value;
        return true;
    }
};

/// Views: the datagram that was scanned (lives until the next receive).
struct MessageScan {
    bool is_response = false;
    unsigned status = 0;
    std::string_view method;       // of a request
    std::string_view request_uri;  // of a request
    Lines vias;
    Lines record_routes;
    Lines contacts;
    std::size_t route_count = 0;
    std::string_view from;
    std::string_view to;
    std::string_view call_id;
    std::uint32_t cseq = 0;
    std::string_view cseq_method;
    std::optional<std::uint32_t> max_forwards;
    bool has_retry_after = false;
    std::string_view challenge;  // WWW-Authenticate or Proxy-Authenticate
    std::string_view body;
};

/// Returns nothing when the bytes are no complete message with Via, From, To, Call-ID and CSeq, or
/// when Content-Length disagrees with the datagram. Folded headers count as malformed: no server
/// under test has a reason to make them.
std::optional<MessageScan> scan_message(std::string_view bytes);

/// The value of a parameter such as tag or branch after the URI or sent-by; empty when it is
/// absent.
std::string_view parameter(std::string_view value, std::string_view name);

/// The URI of a name-addr or addr-spec, without angle brackets and header parameters.
std::string_view uri_of(std::string_view value);

/// Takes the first of the comma-separated values from `rest`, minding quotes and angle brackets.
std::string_view take_value(std::string_view& rest);

/// Reads an unsigned number that fills `text` whole.
std::optional<std::uint32_t> to_number(std::string_view text);

bool equals_ignoring_case(std::string_view a, std::string_view b);

}  // namespace bench
