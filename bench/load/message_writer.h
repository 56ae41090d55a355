// Writes the messages of the load.
#pragma once

#include <netinet/in.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "load/message_scan.h"

namespace bench {

/// The session descriptions of the caller and of the callee, and the text of a MESSAGE.
std::string_view sdp_offer();
std::string_view sdp_answer();
std::string_view text_body();

/// An INVITE of the load is never shorter: the price of small messages flatters a server.
inline constexpr std::size_t kInviteBytesMin = 800;

void append_number(std::string& out, std::uint64_t number);

/// What makes a request; empty parts are left out.
struct RequestParts {
    std::string_view method;
    std::string_view uri;
    std::string_view transport;  // as Via names it
    std::string_view sent_by;
    std::string_view branch;
    std::string_view routes;  // whole header lines
    std::string_view from;
    std::string_view to;
    std::string_view call_id;
    std::uint32_t cseq = 1;
    std::string_view contact;
    std::string_view authorization;
    std::string_view content_type;
    std::string_view body;
};

void write_request(std::string& out, const RequestParts& parts);

/// What a response adds to what it copies from its request.
struct ResponseParts {
    std::string_view status;  // "200 OK"
    std::string_view to_tag;  // for a To without tag; empty for 100
    std::string_view contact;
    std::string_view body;
};

/// Copies Via, Record-Route, From, To, Call-ID and CSeq and fills in rport where the server asks
/// for it (RFC 3581).
void write_response(std::string& out, const MessageScan& request, const sockaddr_in& source,
                    const ResponseParts& parts);

/// Appends the Route lines that the caller makes of the Record-Routes of a 200: in reverse order
/// (RFC 3261 §12.1.2). Returns the URI of the first one, empty when there is none.
std::string_view append_routes(std::string& out, const Lines& record_routes);

}  // namespace bench
