// Finds the messages in a stream of octets.
// Implements: RFC 3261 §18.3; RFC 5626 §3.5.1 (CRLF keep-alives)
#pragma once

#include <cstdint>
#include <string_view>

#include "base/result.h"

namespace signalbox::sip {

/// What stands at the beginning of a stream's buffer.
struct Frame {
    enum class Kind : uint8_t {
        NeedMore,       // nothing whole yet
        Message,        // a message of `size` octets, leading CRLFs skipped by `skip`
        KeepAlivePing,  // CRLFCRLF: answer with CRLF
        KeepAlivePong,  // a lone CRLF before something else: ignore
    };
    Kind kind = Kind::NeedMore;
    size_t skip = 0;
    size_t size = 0;
};

/// Resumes where it stopped: a header that arrives octet by octet is scanned once. One per
/// connection.
class StreamFraming final {
 public:
    static constexpr size_t kHeaderBytesMax = 65535;
    static constexpr size_t kMessageBytesMax = 65535;

    /// Looks at all unconsumed octets of the stream. The caller consumes skip + size before it
    /// calls again after anything but NeedMore. Errors (close the connection): headers past the
    /// limit, a missing, malformed, contradicting or too large Content-Length. On such an error
    /// `header_size` tells whether the headers are whole and can be answered: 400, or 413 where the
    /// body is too large.
    Result<Frame> next(std::string_view buffer);
    size_t header_size() const { return header_size_; }

 private:
    static Result<Frame> blank_line(std::string_view buffer);
    Result<void> find_headers(std::string_view buffer);

    size_t scanned_ = 0;
    size_t header_size_ = 0;
    size_t message_size_ = 0;  // known once the headers are whole
};

}  // namespace signalbox::sip
