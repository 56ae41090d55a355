// A SIP message as the phones of the simulation read and write it: plain text of their own, not the
// server's grammar.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ip_endpoint.h"

namespace signalbox::sim {

/// Owns everything. Slow and simple on purpose: it checks the server's zero-copy grammar from
/// outside.
class TextMessage final {
 public:
    struct Header {
        std::string name;
        std::string value;
    };
    std::string method;  // requests
    std::string uri;
    int status = 0;  // responses; 0: a request
    std::string reason;
    std::vector<Header> headers;
    std::string body;

    /// Nothing when `bytes` is no SIP message with a whole body. Compact names become long ones.
    static std::optional<TextMessage> parse(std::string_view bytes);
    static TextMessage request(std::string method, std::string uri);
    /// A response with what RFC 3261 §8.2.6.2 copies; `to_tag` is added where To has none.
    TextMessage response(int code, std::string_view phrase, std::string_view to_tag) const;
    /// Content-Length is added.
    std::string to_string() const;

    bool is_request() const { return status == 0; }
    /// The value of the first header field of that name; empty when absent.
    std::string_view header(std::string_view name) const;
    /// All values of a header field that may be a list, commas split.
    std::vector<std::string> values(std::string_view name) const;
    void add(std::string_view name, std::string value);
    void add_first(std::string_view name, std::string value);
    void set(std::string_view name, std::string value);
    void remove(std::string_view name);

    std::string call_id() const { return std::string(header("Call-ID")); }
    uint32_t cseq() const;
    std::string cseq_method() const;
    std::string from_tag() const;
    std::string to_tag() const;
    std::string top_via() const;
    std::string branch() const;
    /// "INVITE sip:bob@example.test" or "180 Ringing (INVITE)".
    std::string first_line() const;
};

/// The value of a parameter behind the brackets of a name-addr, or behind the first ';' of any
/// other value. Without quotes; nothing when absent; empty when it has no value.
std::optional<std::string> parameter(std::string_view value, std::string_view name);
/// What stands between the angle brackets, or all before the first ';'.
std::string uri_of(std::string_view name_addr);
/// The user part; empty: none.
std::string user_of(std::string_view uri);
/// Host and port (5060 when absent) when the host is an address.
std::optional<Endpoint> endpoint_of(std::string_view uri);
/// True when the URI asks for TCP.
bool wants_tcp(std::string_view uri);
/// The host and port of a Via's sent-by, as text.
std::string sent_by_of(std::string_view via);

}  // namespace signalbox::sim
