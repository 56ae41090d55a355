// A received message as an index over its bytes: one pass, no copy, values parsed when asked for.
// Implements: RFC 3261 §7, §18.3, §25.1
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "base/result.h"
#include "sip/header_id.h"
#include "sip/header_values.h"
#include "sip/method.h"

namespace signalbox::sip {

/// Limits of one message.
inline constexpr size_t kHeadersMax = 192;
inline constexpr size_t kMessageBytesMax = 65535;

/// One header field as received. Offsets count from the message's first octet. Made without values:
/// a table of these costs nothing until it is filled.
struct HeaderField {
    HeaderId id;
    uint8_t name_size;     // names past 255 octets are malformed
    uint32_t begin;        // first octet of the name
    uint32_t value_begin;  // first octet of the value, leading white space skipped
    uint32_t value_end;    // one past the value, trailing white space skipped; folds stand inside
    uint32_t end;          // one past the line's end (its CRLF included)
};

/// Views: bytes (the packet that was parsed; the view must not outlive it).
/// Accepts what RFC 3261 §7.3.1 and §25.1 allow: any case, compact forms, folding, white space
/// before the colon, comma lists. A bare LF or CR as line end is malformed. Octets behind
/// Content-Length are not part of the message (`bytes()` excludes them).
class MessageView final {
 public:
    /// An empty view. Leaves the table of header fields as it is: zeroing it would cost more than a
    /// parse.
    MessageView() { first_.fill(kNone); }

    bool is_request() const { return status_ == 0; }
    Method method() const { return method_; }  // of the Request-Line, or of CSeq in a response
    std::string_view method_text() const { return method_text_; }  // as received
    std::string_view request_uri() const { return request_uri_; }  // as received; requests only
    /// 100 to 699; 0 for a request; -1 when the Status-Line is malformed.
    int status() const { return status_; }
    std::string_view reason() const { return reason_; }
    /// Of the first CSeq; nothing when it is absent or malformed.
    const std::optional<CSeq>& cseq() const { return cseq_; }
    std::string_view bytes() const { return bytes_; }  // start line, headers and body
    std::string_view body() const { return body_; }
    size_t headers_end() const { return headers_end_; }  // offset of the empty line's CRLF

    std::span<const HeaderField> headers() const { return {fields_.data(), field_count_}; }
    /// The first header field of that name, or null. Constant time.
    const HeaderField* first(HeaderId id) const {
        const uint8_t index = first_[static_cast<size_t>(id)];
        return index == kNone ? nullptr : &fields_[index];
    }
    /// Whether more than one header field has that name.
    bool is_repeated(HeaderId id) const { return (repeated_ & bit_of(id)) != 0; }
    /// The next header field of the same id behind `field`, or null.
    const HeaderField* next(const HeaderField* field) const {
        return is_repeated(field->id) ? next_repeated(field) : nullptr;
    }
    /// Its value as received; empty view when absent. Folds stand inside: see unfold().
    std::string_view value(HeaderId id) const {
        const HeaderField* field = first(id);
        return field == nullptr ? std::string_view{} : value(*field);
    }
    std::string_view value(const HeaderField& field) const {
        return bytes_.substr(field.value_begin, field.value_end - field.value_begin);
    }
    std::string_view name(const HeaderField& field) const {
        return bytes_.substr(field.begin, field.name_size);
    }
    /// The first header field of a name that has no HeaderId, case-insensitive, or null. Linear.
    const HeaderField* find(std::string_view name) const;

 private:
    friend Result<void> parse_message(std::string_view bytes, MessageView& view);
    friend class MessageParser;
    static constexpr uint8_t kNone = 255;
    static_assert(static_cast<size_t>(HeaderId::kCount) <= 64);
    static constexpr uint64_t bit_of(HeaderId id) {
        return uint64_t{1} << static_cast<unsigned>(id);
    }
    const HeaderField* next_repeated(const HeaderField* field) const;

    std::string_view bytes_, body_, method_text_, request_uri_, reason_;
    size_t headers_end_ = 0;
    int status_ = 0;
    Method method_ = Method::Extension;
    std::optional<CSeq> cseq_;
    uint16_t field_count_ = 0;
    uint64_t repeated_ = 0;  // one bit for each HeaderId
    std::array<uint8_t, static_cast<size_t>(HeaderId::kCount)> first_;
    std::array<HeaderField, kHeadersMax> fields_;
};

/// Indexes `bytes`, one whole message with its body, into `view`. Leading CRLFs are skipped. Checks
/// the start line and the form of header lines, and the length of the body against Content-Length
/// (too short is Error::body_too_short; the rest is ignored); no Content-Length means all that
/// follows (RFC 3261 §18.3). The error is the first one met; `view` then holds every header field
/// that could be indexed, so that a 400 or 505 can still copy Via, From, To, Call-ID and CSeq from
/// it; lines that are malformed are left out. SIP/2.0 is compared without regard to case; another
/// version is Error::unsupported_version (505 where it can be answered).
Result<void> parse_message(std::string_view bytes, MessageView& view);

/// The same value with each fold (CRLF and white space) replaced by one space in `scratch`; `value`
/// itself when it has none.
std::string_view unfold(std::string_view value, std::span<char> scratch);

}  // namespace signalbox::sip
