// Writes the messages of the load.
#include "load/message_writer.h"

#include <arpa/inet.h>

#include <array>
#include <charconv>

#include "load/operation.h"

namespace bench {
namespace {

constexpr std::string_view kOffer =
    "v=0\r\n"
    "o=caller 4711 1 IN IP4 192.0.2.10\r\n"
    "s=A call of the load\r\n"
    "c=IN IP4 192.0.2.10\r\n"
    "t=0 0\r\n"
    "m=audio 40000 RTP/AVP 9 8 0 96 101\r\n"
    "a=rtpmap:9 G722/8000\r\n"
    "a=rtpmap:8 PCMA/8000\r\n"
    "a=rtpmap:0 PCMU/8000\r\n"
    "a=rtpmap:96 opus/48000/2\r\n"
    "a=fmtp:96 useinbandfec=1\r\n"
    "a=rtcp:40001 IN IP4 192.0.2.10\r\n"
    "a=rtpmap:101 telephone-event/8000\r\n"
    "a=fmtp:101 0-15\r\n"
    "a=ptime:20\r\n"
    "a=sendrecv\r\n";

constexpr std::string_view kAnswer =
    "v=0\r\n"
    "o=callee 815 1 IN IP4 192.0.2.20\r\n"
    "s=A call of the load\r\n"
    "c=IN IP4 192.0.2.20\r\n"
    "t=0 0\r\n"
    "m=audio 50000 RTP/AVP 8 101\r\n"
    "a=rtpmap:8 PCMA/8000\r\n"
    "a=rtpmap:101 telephone-event/8000\r\n"
    "a=fmtp:101 0-15\r\n"
    "a=ptime:20\r\n"
    "a=sendrecv\r\n";

constexpr std::string_view kText =
    "The quick train waits at the signal box until the road is clear.";

/// The comma-separated Record-Route values that a dialog may have; a longer set is not followed.
constexpr std::size_t kRoutesMax = 16;

void put_line(std::string& out, std::string_view name, std::string_view value) {
    if (!value.empty()) out.append(name).append(": ").append(value).append("\r\n");
}

void put_body(std::string& out, std::string_view type, std::string_view body) {
    if (!body.empty()) put_line(out, "Content-Type", type);
    out.append("Content-Length: ");
    append_number(out, body.size());
    out.append("\r\n\r\n").append(body);
}

/// The server's Via, with the source of its request where it asked by an empty rport.
void put_top_via(std::string& out, std::string_view via, const sockaddr_in& source) {
    constexpr std::string_view kRport = ";rport";
    const std::size_t at = via.find(kRport);
    const std::size_t after = at + kRport.size();
    const bool is_asked =
        at != std::string_view::npos && (after == via.size() || via[after] != '=');
    if (!is_asked) return put_line(out, "Via", via);
    std::array<char, INET_ADDRSTRLEN> host{};
    inet_ntop(AF_INET, &source.sin_addr, host.data(), host.size());
    out.append("Via: ").append(via.substr(0, after)).append("=");
    append_number(out, ntohs(source.sin_port));
    out.append(";received=").append(host.data()).append(via.substr(after)).append("\r\n");
}

}  // namespace

std::string_view sdp_offer() {
    return kOffer;
}
std::string_view sdp_answer() {
    return kAnswer;
}
std::string_view text_body() {
    return kText;
}

void append_number(std::string& out, std::uint64_t number) {
    std::array<char, 20> digits;
    const auto [end, error] = std::to_chars(digits.data(), digits.data() + digits.size(), number);
    if (error == std::errc{}) out.append(digits.data(), end);
}

void append_identity(std::string& out, char letter, std::string_view run, std::uint32_t slot,
                     std::uint32_t generation) {
    out.push_back(letter);
    out.append(run).push_back('.');
    append_number(out, slot);
    out.push_back('.');
    append_number(out, generation);
}

std::optional<Identity> read_identity(std::string_view text, std::string_view run) {
    if (text.size() < run.size() + 4 || text.substr(1, run.size()) != run) return std::nullopt;
    Identity identity;
    identity.letter = text.front();
    text.remove_prefix(1 + run.size());
    if (text.front() != '.') return std::nullopt;
    const std::size_t dot = text.find('.', 1);
    if (dot == std::string_view::npos) return std::nullopt;
    const std::optional<std::uint32_t> slot = to_number(text.substr(1, dot - 1));
    const std::optional<std::uint32_t> generation = to_number(text.substr(dot + 1));
    if (!slot || !generation) return std::nullopt;
    identity.slot = *slot;
    identity.generation = *generation;
    return identity;
}

void write_request(std::string& out, const RequestParts& parts) {
    out.clear();
    out.append(parts.method).append(" ").append(parts.uri).append(" SIP/2.0\r\n");
    out.append("Via: SIP/2.0/").append(parts.transport).append(" ").append(parts.sent_by);
    out.append(";branch=z9hG4bK").append(parts.branch).append(";rport\r\n").append(parts.routes);
    out.append("Max-Forwards: 70\r\n");
    put_line(out, "From", parts.from);
    put_line(out, "To", parts.to);
    put_line(out, "Call-ID", parts.call_id);
    out.append("CSeq: ");
    append_number(out, parts.cseq);
    out.append(" ").append(parts.method).append("\r\n");
    put_line(out, "Contact", parts.contact);
    put_line(out, "Authorization", parts.authorization);
    put_line(out, "User-Agent", "signalbox-load");
    if (parts.method == "INVITE") {
        put_line(out, "Allow", "INVITE, ACK, CANCEL, BYE, OPTIONS, MESSAGE");
        put_line(out, "Supported", "replaces, norefersub");
        put_line(out, "Accept", "application/sdp");
    }
    put_body(out, parts.content_type, parts.body);
}

void write_response(std::string& out, const MessageScan& request, const sockaddr_in& source,
                    const ResponseParts& parts) {
    out.clear();
    out.append("SIP/2.0 ").append(parts.status).append("\r\n");
    put_top_via(out, request.vias.values[0], source);
    for (std::size_t i = 1; i < request.vias.count; ++i) {
        put_line(out, "Via", request.vias.values[i]);
    }
    for (std::size_t i = 0; i < request.record_routes.count; ++i) {
        put_line(out, "Record-Route", request.record_routes.values[i]);
    }
    put_line(out, "From", request.from);
    out.append("To: ").append(request.to);
    if (!parts.to_tag.empty() && parameter(request.to, "tag").empty()) {
        out.append(";tag=").append(parts.to_tag);
    }
    out.append("\r\n");
    put_line(out, "Call-ID", request.call_id);
    out.append("CSeq: ");
    append_number(out, request.cseq);
    out.append(" ").append(request.cseq_method).append("\r\n");
    put_line(out, "Contact", parts.contact);
    put_body(out, "application/sdp", parts.body);
}

std::string_view append_routes(std::string& out, const Lines& record_routes) {
    std::array<std::string_view, kRoutesMax> values;
    std::size_t count = 0;
    for (std::size_t i = 0; i < record_routes.count; ++i) {
        std::string_view rest = record_routes.values[i];
        while (!rest.empty() && count < kRoutesMax) values[count++] = take_value(rest);
    }
    if (count == 0) return {};
    for (std::size_t i = count; i > 0; --i) put_line(out, "Route", values[i - 1]);
    return uri_of(values[count - 1]);
}

}  // namespace bench
