// Finds the messages in a stream of octets.
// Implements: RFC 3261 §18.3, §7.5; RFC 5626 §3.5.1, §4.4.1
#include "sip/stream_framing.h"

#include <cstring>
#include <optional>

#include "sip/header_id.h"
#include "sip/header_values.h"
#include "sip/lexer.h"

namespace signalbox::sip {

namespace {

constexpr std::string_view kCrlf = "\r\n";

/// The offset behind the next CRLF that no fold follows, or the size of the text.
size_t line_end(std::string_view headers, size_t at) {
    for (;;) {
        at = headers.find(kCrlf, at);
        if (at == std::string_view::npos) return headers.size();
        at += kCrlf.size();
        if (at == headers.size() || !lexer::is_space(headers[at])) return at;
    }
}

/// The value of a line whose name is Content-Length in either form; nothing for any other line.
std::optional<std::string_view> content_length_value(std::string_view line) {
    lexer::Cursor cursor(line);
    const std::string_view name = cursor.run(lexer::kToken);
    while (lexer::is_space(cursor.peek())) cursor.take(cursor.peek());
    if (!cursor.take(':')) return std::nullopt;
    if (parse_header_name(name) != HeaderId::ContentLength) return std::nullopt;
    return cursor.rest();
}

/// The one length that all Content-Length fields of the headers agree on.
Result<uint32_t> body_size(std::string_view headers) {
    std::optional<uint32_t> length;
    size_t at = line_end(headers, 0);  // behind the start line
    while (at < headers.size()) {
        const size_t end = line_end(headers, at);
        const auto value = content_length_value(headers.substr(at, end - at));
        if (value) {
            TRY_ASSIGN(size, parse_content_length(*value));
            if (length && *length != size) return fail(ErrorCode::duplicate_content_length, at);
            length = size;
        }
        at = end;
    }
    if (!length) return fail(ErrorCode::malformed_content_length);
    return *length;
}

}  // namespace

Result<Frame> StreamFraming::next(std::string_view buffer) {
    if (buffer.empty()) return Frame{};
    if (message_size_ == 0) {
        if (buffer.front() == '\r') return blank_line(buffer);
        // Whatever is not SIP (TLS on the wrong port, say) is noticed at its first octet.
        if (!lexer::is(buffer.front(), lexer::kToken)) {
            return fail(ErrorCode::malformed_request_line);
        }
        if (header_size_ == 0) TRY(find_headers(buffer));
        if (header_size_ == 0) return Frame{};
        TRY_ASSIGN(body, body_size(buffer.substr(0, header_size_ - kCrlf.size())));
        if (body > kMessageBytesMax - header_size_) return fail(ErrorCode::message_too_large);
        message_size_ = header_size_ + body;
    }
    if (buffer.size() < message_size_) return Frame{};
    const Frame frame{Frame::Kind::Message, 0, message_size_};
    *this = StreamFraming();
    return frame;
}

/// A stream that begins with CR: a keep-alive, or one that is not whole yet. A lone CRLF at the end
/// of what came is left there, because the second half of a CRLFCRLF may follow.
Result<Frame> StreamFraming::blank_line(std::string_view buffer) {
    constexpr std::string_view kPing = "\r\n\r\n";
    const std::string_view begun = buffer.substr(0, kPing.size());
    if (begun == kPing) return Frame{Frame::Kind::KeepAlivePing, 0, kPing.size()};
    if (begun == kPing.substr(0, begun.size())) return Frame{};
    if (begun.substr(0, kCrlf.size()) == kCrlf && begun[kCrlf.size()] != '\r') {
        return Frame{Frame::Kind::KeepAlivePong, 0, kCrlf.size()};
    }
    return fail(ErrorCode::malformed_request_line);
}

/// Looks for the empty line from where the last look ended.
Result<void> StreamFraming::find_headers(std::string_view buffer) {
    constexpr std::string_view kEnd = "\r\n\r\n";
    for (;;) {
        const size_t line_feed = buffer.find('\n', scanned_);
        if (line_feed == std::string_view::npos) {
            scanned_ = buffer.size();
            break;
        }
        scanned_ = line_feed + 1;
        if (scanned_ < kEnd.size()) continue;
        if (buffer.substr(scanned_ - kEnd.size(), kEnd.size()) == kEnd) {
            header_size_ = scanned_;
            break;
        }
    }
    if (scanned_ > kHeaderBytesMax) {
        header_size_ = 0;
        return fail(ErrorCode::message_too_large, kHeaderBytesMax);
    }
    return {};
}

}  // namespace signalbox::sip
